// B17: every descriptor is in use. B32: one address may not hold them all with unfinished heads.
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <fstream>
#include <sstream>

#include "catch.h"
#include "e2e/certificate.h"
#include "e2e/counts.h"
#include "e2e/curl.h"
#include "e2e/timing.h"

using namespace std::chrono_literals;
using namespace test;

namespace {

const std::string kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kHalf = "GET / HTTP/1.1\r\n";

bool is_closed(const RawClient& c) {
  pollfd closed{c.fd(), POLLRDHUP, 0};
  return ::poll(&closed, 1, 0) == 1;
}

// Milliseconds of CPU time a process has used.
long cpu_time(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text((std::istreambuf_iterator<char>(stat)), {});
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  long user = 0, system = 0;
  fields >> user >> system;
  return (user + system) * 1000 / ::sysconf(_SC_CLK_TCK);
}

int count(const std::string& text, const std::string& part) {
  int n = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++n;
  return n;
}

RawClient from(const char* address, int port) {
  seawall::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in own{}, to{};
  own.sin_family = to.sin_family = AF_INET;
  ::inet_pton(AF_INET, address, &own.sin_addr);
  REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&own), sizeof own) == 0);
  ::inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
  to.sin_port = htons(std::uint16_t(port));
  REQUIRE(::connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
  return RawClient(std::move(fd));
}

// A server with 60 descriptors, all in use by clients with half a head.
class FullServer : public Server {
 public:
  FullServer() : Server(with_probe("client_header_timeout 60s; server { listen 127.0.0.1:%%PORT_0%%; location / { return 200 ok; }"
                                   "location /counts { probe_counts on; } }", "worker_rlimit_nofile 60;", "worker_connections 1000;")), worker(serving_process(*this)) {
    for (int i = 0; i < 80; ++i) halves.emplace_back(port());
    REQUIRE(RawClient(port()).expect_close(kPatience));  // they are taken in order: all others have had their turn
    std::erase_if(halves, is_closed);
    for (RawClient& c : halves) c.send(kHalf);
  }
  void answer(RawClient& c) const {
    c.send("Host: a\r\n\r\n");
    CHECK(c.read_response().status == 200);
  }
  const pid_t worker;
  std::deque<RawClient> halves;
};

}  // namespace

TEST_CASE("every descriptor in use: newcomers are closed at once, those who are there go on") {
  FullServer s;
  CHECK(s.halves.size() > 30);
  for (int i = 0; i < 10; ++i) CHECK(RawClient(s.port()).expect_close(kPatience));
  for (RawClient& c : s.halves) CHECK_FALSE(is_closed(c));
  for (RawClient& c : s.halves) s.answer(c);
}

TEST_CASE("every descriptor in use: the connection that has been idle longest makes room") {
  FullServer s;
  RawClient &first = s.halves[3], &second = s.halves[7], &busy = s.halves[0];
  s.answer(first);
  s.answer(second);
  for (RawClient* idle : {&first, &second}) {  // the second newcomer finds the reserve as the first did
    RawClient newcomer(s.port());
    newcomer.send(kHalf);
    CHECK(idle->expect_close(kPatience));
    CHECK(idle->read_all() == "");
    s.answer(newcomer);
    newcomer.send(kHalf);  // busy again: the next one must find another
    s.halves.push_back(std::move(newcomer));
  }
  s.answer(busy);
}

TEST_CASE("every descriptor in use: five stay for logs and files, one line a second tells of it, nobody spins") {
  FullServer s;
  for (int fd = 55; fd < 60; ++fd) CHECK(::access(("/proc/" + std::to_string(s.worker) + "/fd/" + std::to_string(fd)).c_str(), F_OK) != 0);
  const auto begin = Clock::now();
  const long before = cpu_time(s.worker);
  while (Clock::now() - begin < 2s) {
    RawClient c(s.port());
    CHECK(c.expect_close(kPatience));
    ::poll(nullptr, 0, 20);
  }
  const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin).count();
  if (kStrictTimes) CHECK(cpu_time(s.worker) - before < passed / 20);
  CHECK(s.wait_for_log("\\[crit\\].*accept4\\(\\) failed \\(24: Too many open files\\)"));
  CHECK(count(s.error_log(), "accept4() failed") <= 4);
  s.halves.pop_back();
  CHECK(wait_until([&] {
    RawClient c(s.port());
    c.send("GET /counts HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    const std::string all = c.read_all();
    return count_in(all, "accept_errors") > 10;
  }));
  s.signal(SIGUSR1);  // opens the logs anew
  CHECK(s.wait_for_log("reopening logs"));
}

TEST_CASE("every descriptor in use: a free one is used within 100 ms") {
  FullServer s;
  s.halves.pop_back();
  const auto busy = time_without_processor();
  const auto begin = Clock::now();
  bool again = false;
  while (!again && Clock::now() - begin < 5s) {
    RawClient c(s.port());
    c.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    again = c.expect_close(kPatience) && c.read_all().starts_with("HTTP/1.1 200");
  }
  CHECK(again);
  if (kStrictTimes) CHECK(Clock::now() - begin < 100ms + time_without_processor() - busy);
}

TEST_CASE("connections come and go, and no descriptor stays behind") {
  Server s(with_probe("server { listen 127.0.0.1:%%PORT_0%%; location / { return 200 ok; } location /wait { probe_wait 60s; } }"));
  REQUIRE(get(s.url()).body == "ok");
  const pid_t worker = serving_process(s);
  const int before = settled_descriptors(worker);
  for (int round = 0; round < 20; ++round) {
    std::deque<RawClient> clients;
    for (const std::string& sent : {std::string(), std::string("GET"), kHalf, kGet, kGet + kHalf, std::string("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")})
      for (int i = 0; i < 4; ++i) clients.emplace_back(s.port()).send(sent);
    for (std::size_t i = 0; i < clients.size(); i += 2) clients[i].reset();
  }
  CHECK(wait_until([&] { return open_descriptors(worker) <= before; }));
  CHECK(get(s.url()).body == "ok");
}

TEST_CASE("limit_conn_header: an address with too many unfinished heads gets no more, others do, and so does it later") {
  Server s("limit_conn_header 3;\nevents {}\nhttp { client_header_timeout 60s; server { listen 127.0.0.1:%%PORT_0%%; return 200 ok; } }");
  std::deque<RawClient> waiting;
  for (int i = 0; i < 5; ++i) waiting.emplace_back(s.port()).send(kHalf);
  const auto closed = [&] {
    int n = 0;
    for (const RawClient& c : waiting) n += is_closed(c);
    return n;
  };
  CHECK(wait_until([&] { return closed() == 2; }));
  CHECK(s.wait_for_log("too many unfinished request heads of this address"));
  CHECK(get(s.url()).status == 200);  // a whole head has not to wait
  RawClient other = from("127.0.0.77", s.port());
  other.send(kHalf);
  pollfd quiet{other.fd(), POLLRDHUP, 0};
  CHECK(::poll(&quiet, 1, 1500) == 0);
  other.send("Host: a\r\n\r\n");
  CHECK(other.read_response().status == 200);
  for (RawClient& c : waiting) {
    if (is_closed(c)) {
      CHECK(c.read_response().status == 503);
      continue;
    }
    c.send("Host: a\r\n\r\n");
    CHECK(c.read_response().status == 200);
  }
  RawClient later(s.port());
  later.send(kHalf);
  pollfd held{later.fd(), POLLRDHUP, 0};
  CHECK(::poll(&held, 1, 1500) == 0);
}

TEST_CASE("limit_conn_header: what comes before a head counts, too: a PROXY header, a preface, SETTINGS") {
  const auto made = make_certificate({"localhost"});
  Server s("limit_conn_header 2;\nevents {}\nhttp { client_header_timeout 60s; ssl_certificate a.crt; ssl_certificate_key a.key;"
           "server { listen 127.0.0.1:%%PORT_0%%; listen 127.0.0.1:%%PORT_1%% proxy_protocol; listen 127.0.0.1:%%PORT_2%% ssl; http2 on; return 200 ok; } }",
           {{"a.crt", made.certificate}, {"a.key", made.key}});
  const std::string preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  const auto check = [&](int port, bool tls, const std::string& begun, const std::string& message) {
    INFO(begun);
    std::deque<RawClient> waiting;
    for (int i = 0; i < 4; ++i) {
      RawClient& c = waiting.emplace_back(s.port(port));
      TlsOptions options;
      options.alpn = "\x02h2";
      if (tls) c.start_tls(options);
      c.send(begun);
    }
    const auto closed = [&] {
      int n = 0;
      for (const RawClient& c : waiting) n += is_closed(c);
      return n;
    };
    CHECK(wait_until([&] { return closed() == 2; }));
    CHECK(s.wait_for_log(message));
    CHECK(get(s.url()).status == 200);
  };
  check(0, false, "P", "too many unfinished request heads of this address");
  check(0, false, preface.substr(0, 20), "too many unfinished request heads of this address");
  check(0, false, preface, "too many unfinished request heads of this address");
  check(1, false, "PROXY TCP4 ", "too many unfinished PROXY protocol headers of this address");
  check(2, true, preface, "too many unfinished request heads of this address");
}
