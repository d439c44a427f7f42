// What can be wrong with a server behind proxy_pass, from the connection to the last byte: the status that the client gets,
// that a response which breaks off is never taken for a whole one, and that nobody else loses by it. The same faults are played
// to the nginx of the system, which must give the same.
#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>
#include <deque>
#include <functional>
#include <list>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/nginx.h"
#include "e2e/server.h"
#include "e2e/upstream.h"

using namespace std::chrono_literals;
using namespace test;

namespace {

constexpr const char* kOldHttp = "what is no head is HTTP/0.9, and goes to the client as it is";
constexpr const char* kShort = "proxy_read_timeout 1s;";
constexpr const char* kNothing = "the connection ends before the head is out";
constexpr const char* kOldNginx = "before 1.23.0 it looks at one of them";
constexpr int kCut = 1000;  // added to the status of a response that is not whole

std::string ok(std::string_view body, std::string_view fields = {}) {
  const std::string length = std::to_string(body.size());
  return "HTTP/1.1 200 OK\r\n" + std::string(fields) + "Content-Length: " + length + "\r\n\r\n" + std::string(body);
}

using Play = std::function<void(RawClient&)>;

Play after_head(std::function<void(RawClient&)> then) {
  return [then = std::move(then)](RawClient& c) {
    c.read_until("\r\n\r\n");
    then(c);
  };
}
Play says(std::string text) {
  return after_head([text = std::move(text)](RawClient& c) { c.send(text); });
}
Play says_early(std::string text) {
  return [text = std::move(text)](RawClient& c) {
    c.send(text);
    c.expect_close(kPatience);
  };
}
Play says_and_waits(std::string text) {
  return after_head([text = std::move(text)](RawClient& c) {
    if (!text.empty()) c.send(text);
    c.expect_close(kPatience);
  });
}
Play says_and_resets(std::string text) {
  return after_head([text = std::move(text)](RawClient& c) {
    if (!text.empty()) c.send(text);
    c.reset();
  });
}
// Reads nothing until all is over.
Play is_stuck(const std::atomic<bool>& over) {
  return after_head([&over](RawClient&) { over.wait(false); });
}
// A byte at a time, each in a packet of its own.
Play dribbles(std::string text) {
  return after_head([text = std::move(text)](RawClient& c) {
    for (const char byte : text) c.send({&byte, 1});
  });
}

struct Fault {
  const char* name;
  Play play;
  int status;           // kCut + status: the response breaks off
  int nginx = 0;        // some nginx's, where it is another: `why` says why
  const char* why = "";
  const char* method = "GET";
  const char* more = "";   // of the location
  std::size_t upload = 0;  // bytes of the request's body
};

std::vector<Fault> faults(const std::atomic<bool>& over) {
  const std::string head = "HTTP/1.1 200 OK\r\n";
  const std::string half = head + "Content-Length: 10\r\n\r\nhalf", chunks = head + "Transfer-Encoding: chunked\r\n\r\n";
  const std::size_t large = 20'000'000;  // more than the sockets between us hold
  return {
      // The connection.
      {"closes at once", [](RawClient&) {}, 502},
      {"resets at once", [](RawClient& c) { c.reset(); }, 502},
      {"says something else before it is asked", says_early("220 mail.test ESMTP\r\n"), 502, kCut, kOldHttp},
      {"answers before it is asked", says_early(ok("early")), 200},
      // The request.
      {"resets when it has heard the head", says_and_resets(""), 502},
      {"closes in the middle of an upload", after_head([](RawClient&) {}), 502, 0, "", "POST", "", large},
      {"resets in the middle of an upload", says_and_resets(""), 502, 0, "", "POST", "", large},
      {"stops reading an upload", is_stuck(over), 504, 0, "", "POST", "proxy_send_timeout 1s;", large},
      {"answers in the middle of an upload",
       after_head([](RawClient& c) {
         c.send("HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno");
         c.read_all();
       }),
       413, 0, "", "POST", "", large},
      // The head.
      {"says nothing", says_and_waits(""), 504, 0, "", "GET", kShort},
      {"closes without an answer", says(""), 502},
      {"closes within the status line", says("HTTP/1.1 20"), 502},
      {"closes within the head", says("HTTP/1.1 200 OK\r\nA: b"), 502},
      {"resets within the head", says_and_resets("HTTP/1.1 200 OK\r\nA: b"), 502},
      {"falls silent within the head", says_and_waits("HTTP/1.1 200 OK\r\nA: b"), 504, 0, "", "GET", kShort},
      {"dribbles", dribbles(ok("drop by drop")), 200},
      {"sends garbage", says("\x16\x03\x01\x02\xff\xff\xff\r\n\r\n"), 502, kCut, kOldHttp},
      {"is another protocol", says("SSH-2.0-OpenSSH_9.2\r\n"), 502, kCut, kOldHttp},
      {"a status of two digits", says("HTTP/1.1 20 OK\r\n\r\n"), 502, 20, kOldHttp},
      {"a field without a name", says("HTTP/1.1 200 OK\r\n: b\r\n\r\n"), 502},
      {"a control byte in a name", says("HTTP/1.1 200 OK\r\nA\x01: b\r\n\r\n"), 502},
      {"a zero byte in a value", says(std::string("HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n", 28)), 502},
      {"a head without an end", says_and_waits("HTTP/1.1 200 OK\r\nA: " + std::string(70'000, 'a')), 502},
      {"a length that is none", says("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), 502, 200, "ignores it"},
      {"two lengths", says("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"), 502, 200, kOldNginx},
      {"length and chunks", says(head + "Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"), 502, 200,
       kOldNginx},
      {"a coding that we do not know", says(head + "Transfer-Encoding: gzip, chunked\r\n\r\n"), 502, kCut + 200, kOldNginx},
      {"switches protocols unasked", says("HTTP/1.1 101 No\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), 502, 101,
       "1.22 passes it on"},
      // The body.
      {"closes within a body", says(half), kCut + 200},
      {"resets within a body", says_and_resets(half), kCut + 200},
      {"falls silent within a body", says_and_waits(half), kCut + 200, 0, "", "GET", kShort},
      {"a body that is longer than its length", says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokand more"), 200},
      {"closes within a chunk", says(chunks + "a\r\nhalf"), kCut + 200},
      {"closes between two chunks", says(chunks + "4\r\nhalf\r\n"), kCut + 200},
      {"a chunk whose size is none", says(chunks + "4\r\nhalf\r\nzz\r\n"), kCut + 200, kCut, kNothing},
      {"a chunk that is longer than its size", says(chunks + "4\r\nhalfandmore\r\n0\r\n\r\n"), kCut + 200, kCut, kNothing},
      {"a body behind 204", says("HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nbody"), 204},
      {"a body behind 304", says("HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nbody"), 304},
      {"a body behind HEAD", says(ok("body")), 200, 0, "", "HEAD"},
      // The next server, which is well.
      {"another one is asked: closes", says(""), 200, 0, "", "GET", "NEXT"},
      {"another one is asked: resets", says_and_resets(""), 200, 0, "", "GET", "NEXT"},
      {"another one is asked: falls silent", says_and_waits("HTTP/1.1 2"), 200, 0, "", "GET", "NEXT; proxy_read_timeout 1s"},
      {"another one is asked: garbage", says("\x01\x02\r\n\r\n"), 200, kCut, kOldHttp, "GET", "NEXT invalid_header"},
      {"another one is asked: 503", says("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"), 200, 0, "", "GET", "NEXT http_503"},
      {"no other one is asked: a POST that it may have done", says(""), 502, 0, "", "POST", "NEXT", 5},
      {"no other one is asked: within a body", says(half), kCut + 200, 0, "", "GET", "NEXT"},
  };
}

// A socket whose queue is full: it neither takes a connection nor refuses it.
class Deaf {
 public:
  Deaf() : port_(free_port()), listener_(listen_on(port_)) {
    REQUIRE(::listen(listener_.get(), 0) == 0);
    waiting_.emplace_back(port_);
  }
  int port() const { return port_; }

 private:
  int port_;
  seawall::Fd listener_;
  std::list<RawClient> waiting_;
};

// The status, kCut more where the response is not whole.
int ask(int port, const Fault& fault, std::size_t number) {
  RawClient c(port);
  std::string request = std::string(fault.method) + " /" + std::to_string(number) + " HTTP/1.1\r\nHost: a\r\n";
  request += "Connection: close\r\n";
  if (fault.upload > 0) request += "Content-Length: " + std::to_string(fault.upload) + "\r\n";
  c.send(request + "\r\n" + std::string(fault.upload, 'x'));
  const std::string all = c.read_all();
  const auto end = all.find("\r\n\r\n");
  if (!all.starts_with("HTTP/1.1 ") || end == std::string::npos) return kCut;
  const Response head(all.substr(0, end + 4));
  const std::string_view body = std::string_view(all).substr(end + 4);
  const std::string length = head.header("Content-Length");
  const bool bodyless = head.status == 204 || head.status == 304 || fault.method == std::string_view("HEAD");
  bool whole = true;
  if (bodyless) whole = body.empty();
  else if (!length.empty()) whole = std::to_string(body.size()) == length;
  else if (head.header("Transfer-Encoding") == "chunked") whole = body.ends_with("0\r\n\r\n");
  else whole = !c.was_reset();
  return head.status + (whole ? 0 : kCut);
}

void answer_all(RawClient& c) {
  try {
    for (;;) {
      c.read_until("\r\n\r\n");
      c.send(ok("well"));
    }
  } catch (const std::exception&) {
    // closed
  }
}

// Somebody whose requests have nothing to do with the fault, over one connection.
class Neighbour {
 public:
  explicit Neighbour(int port) : client_(port) {}
  void ask() {
    client_.send("GET /well HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(client_.read_response().body == "well");
  }

 private:
  RawClient client_;
};

// All faults at once: a location and a server of its own each.
class Stage {
 public:
  Stage() {
    for (const Fault& fault : faults_) ups_.emplace_back(std::make_unique<Upstream>(fault.play));
  }
  ~Stage() {
    over_ = true;
    over_.notify_all();
  }
  const std::vector<Fault>& all() const { return faults_; }
  std::string failure(std::size_t i) const { return ups_[i]->failure(); }
  int asked(std::size_t i) const { return ups_[i]->connections(); }

  std::string config(const std::string& port) const {
    const std::string well = "127.0.0.1:" + std::to_string(well_.port());
    std::string upstreams, locations;
    for (std::size_t i = 0; i < faults_.size(); ++i) {
      const std::string number = std::to_string(i), one = "127.0.0.1:" + std::to_string(ups_[i]->port());
      const bool next = std::string_view(faults_[i].more).starts_with("NEXT");
      std::string more = faults_[i].more;
      if (next) {
        upstreams += "upstream u" + number + " { server " + one + " max_fails=0; server " + well + " backup; }\n";
        more = "proxy_next_upstream error timeout" + more.substr(4) + ";";
      }
      locations += "location = /" + number + " { proxy_pass http://" + (next ? "u" + number : one) + "; " + more + " }\n";
    }
    return upstreams + "server { listen 127.0.0.1:" + port +
           "; client_max_body_size 0; proxy_http_version 1.1;\n" + locations +
           "location = /well { proxy_pass http://" + well + "; } }";
  }

 private:
  std::atomic<bool> over_ = false;
  const std::vector<Fault> faults_ = faults(over_);
  Upstream well_{answer_all};
  std::deque<std::unique_ptr<Upstream>> ups_;
};

}  // namespace

TEST_CASE("faults of an upstream each have their status, and nobody else loses by them") {
  Stage stage;
  Server s(stage.config("%%PORT_0%%"));
  Neighbour neighbour(s.port());
  REQUIRE(stage.all().size() >= 24);
  for (std::size_t i = 0; i < stage.all().size(); ++i) {
    const Fault& fault = stage.all()[i];
    CAPTURE(fault.name);
    neighbour.ask();
    CHECK(ask(s.port(), fault, i) == fault.status);
    neighbour.ask();
    CHECK(stage.asked(i) == 1);
  }
}

TEST_CASE("faults of an upstream have the status that nginx gives") {
  Stage stage;
  const auto nginx = Nginx::start(stage.config("%%PORT%%"));
  if (!nginx) return;
  for (std::size_t i = 0; i < stage.all().size(); ++i) {
    const Fault& fault = stage.all()[i];
    CAPTURE(fault.name, fault.why);
    // How long it takes over a fault is nginx's own affair.
    try {
      const int status = ask(nginx->port(), fault, i);
      if (status != fault.nginx) CHECK(status == fault.status);
    } catch (const std::exception& late) {
      WARN("nginx has not answered: " << late.what());
    }
  }
}

TEST_CASE("an upstream that refuses, is not there, or takes no connection") {
  Deaf deaf;
  const auto place = [](const std::string& name, const std::string& to) {
    return "location " + name + " { proxy_pass http://" + to + "; } ";
  };
  const auto local = [](int port) { return "127.0.0.1:" + std::to_string(port); };
  const std::string inside = "proxy_connect_timeout 1s; " + place("/closed", local(free_port())) +
                             place("/gone", "unix:/nowhere/socket") + place("/deaf", local(deaf.port())) + "}";
  Server s("server { listen 127.0.0.1:%%PORT_0%%; " + inside);
  s.allow("nowhere");
  const auto nginx = Nginx::start("server { listen 127.0.0.1:%%PORT%%; " + inside);
  const auto status = [](int port, const char* path) { return get("http://127.0.0.1:" + std::to_string(port) + path).status; };
  const std::pair<const char*, int> all[] = {{"/closed", 502}, {"/gone", 502}, {"/deaf", 504}};
  for (const auto& [path, expected] : all) {
    CAPTURE(path);
    CHECK(status(s.port(), path) == expected);
    if (nginx) CHECK(status(nginx->port(), path) == expected);
  }
}

TEST_CASE("an upstream that dies while the server reloads") {
  std::atomic<int> asked = 0;
  std::atomic<bool> dies = false;
  Upstream up([&](RawClient& c) {
    c.read_until("\r\n\r\n");
    ++asked;
    while (!dies) std::this_thread::yield();
  });
  const std::string inside = "location / { proxy_pass " + up.url() + "; } }";
  Server s("server { listen 127.0.0.1:%%PORT_0%%; " + inside);
  const auto nginx = Nginx::start("server { listen 127.0.0.1:%%PORT%%; " + inside);
  RawClient ours(s.port());
  ours.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  std::unique_ptr<RawClient> other;
  if (nginx) {
    other = std::make_unique<RawClient>(nginx->port());
    other->send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  while (asked < (nginx ? 2 : 1)) std::this_thread::yield();
  REQUIRE(s.reload());
  if (nginx) nginx->reload();
  dies = true;
  CHECK(ours.read_response().status == 502);
  if (nginx) CHECK(other->read_response().status == 502);
  CHECK(get(s.url("/")).status == 502);
}
