// What may happen while a request is still on its way to an upstream, and what a review has found there.
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/fastcgi_peer.h"
#include "e2e/server.h"
#include "e2e/timing.h"
#include "e2e/upstream.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string server(const std::string& inside, const std::string& outside = {}) {
  return outside + " server { listen 127.0.0.1:%%PORT_0%%; client_max_body_size 64m; " + inside + " }";
}

std::string head(const std::string& line, std::size_t length) {
  return line + " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

// Answers as soon as the head is there, reads no more, and stays until the other side goes.
auto answer_early(const std::string& text) {
  return [text](RawClient& c) {
    c.read_until("\r\n\r\n");
    c.send(text);
    c.expect_close(kPatience);
  };
}

// Sends as much as is taken, and reads the answer.
Response post(const Server& s, const std::string& path, std::size_t size) {
  RawClient c(s.port());
  c.send(head("POST " + path, size));
  try {
    for (std::size_t sent = 0; sent < size; sent += 64 * 1024) c.send(std::string(std::min<std::size_t>(64 * 1024, size - sent), 'b'));
  } catch (const std::exception&) {
    // closed behind the answer, which is what is asked for
  }
  return c.read_response();
}

constexpr std::size_t kLong = 8 << 20;

}  // namespace

TEST_CASE("an error page takes the place of an answer that comes before the upload has ended") {
  Upstream up(answer_early("HTTP/1.1 413 Too much\r\nContent-Length: 5\r\n\r\nnever"));
  for (const char* buffering : {"on", "off"}) {
    Server s(server("location / { proxy_pass " + up.url() + "; proxy_request_buffering " + buffering +
                    "; proxy_intercept_errors on; error_page 413 /page; } location /page { return 200 page; }"));
    for (int i = 0; i < 5; ++i) {
      const Response r = post(s, "/", kLong);
      CHECK(r.status == 413);
      CHECK(r.body == "page");
    }
  }
}

TEST_CASE("X-Accel-Redirect may come before the upload has ended") {
  Upstream up(answer_early("HTTP/1.1 200 OK\r\nX-Accel-Redirect: /page\r\nContent-Length: 0\r\n\r\n"));
  Server s(server("location / { proxy_pass " + up.url() + "; } location /page { internal; return 200 page; }"));
  CHECK(post(s, "/", kLong).body == "page");
}

TEST_CASE("an answer that is whole before the upload has ended") {
  Upstream up(answer_early("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  for (const char* buffering : {"on", "off"}) {
    Server s(server("location / { proxy_pass " + up.url() + "; proxy_request_buffering " + buffering + "; }"));
    for (int i = 0; i < 20; ++i) CHECK(post(s, "/", 1 << 20).body == "ok");
  }
}

TEST_CASE("a connection that is switched before the whole request was sent is refused") {
  Upstream up(answer_early("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"));
  Server s(server("location / { proxy_pass " + up.url() + "; proxy_request_buffering off; proxy_set_header Upgrade $http_upgrade; "
                  "proxy_set_header Connection upgrade; }"));
  RawClient c(s.port());
  c.send("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nConnection: upgrade\r\nContent-Length: 1000000\r\n\r\nsome");
  CHECK(c.read_response().status == 502);
}

TEST_CASE("a streamed body of which something is gone is not passed on as a whole one") {
  Upstream first([](RawClient& c) { c.read_until("some"); });
  Upstream second([](RawClient& c) {
    c.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond");
    c.read_until("\r\n\r\n");
  });
  Server s(server("location / { proxy_pass " + first.url() + "; proxy_request_buffering off; error_page 502 = @second; } location @second { proxy_pass " +
                  second.url() + "; }"));
  RawClient c(s.port());
  c.send(head("POST /", 8) + "some");
  CHECK(c.read_response().status == 502);
  CHECK(second.connections() == 0);
}

TEST_CASE("a response longer than memory and file keeps its order") {
  std::string body;
  for (int i = 0; body.size() < 4'000'000; ++i) body += std::to_string(i) + "\n";
  std::string records;
  const std::string text = "\r\n" + body;
  for (std::string_view rest = text; !rest.empty(); rest.remove_prefix(std::min<std::size_t>(8000, rest.size())))
    records += fastcgi_record(6, rest.substr(0, 8000));
  records += fastcgi_record(6, "") + fastcgi_record(3, std::string(8, '\0'));
  Upstream up([&](RawClient& c) {
    read_fastcgi(c);
    c.send(records);
  });
  Server s(server("location / { fastcgi_pass 127.0.0.1:" + std::to_string(up.port()) + "; fastcgi_max_temp_file_size 200k; }"));
  RawClient c(s.port(), "127.0.0.1", 4096);
  c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(s.wait_for_log("buffered to a temporary file"));
  CHECK(c.read_response().body == body);
}

TEST_CASE("proxy_limit_rate holds no response back that has nothing to hold back") {
  Upstream up([](RawClient& c) {
    c.read_until("\r\n\r\n");
    c.send("HTTP/1.1 302 Found\r\nLocation: http://b/\r\nContent-Length: 0\r\n\r\n");
    c.expect_close(kPatience);
  });
  Server s(server("location / { proxy_pass " + up.url() + "; proxy_limit_rate 1m; }"));
  CHECK(get(s.url()).status == 302);
}

TEST_CASE("a chunked body has its length in CONTENT_LENGTH once it is read") {
  Upstream up([](RawClient& c) {
    const FastCgiRequest request = read_fastcgi(c);
    c.send(fastcgi_response("\r\n" + request.params.at("CONTENT_LENGTH") + " " + request.body));
  });
  Server s(server("location / { fastcgi_pass 127.0.0.1:" + std::to_string(up.port()) + "; fastcgi_param CONTENT_LENGTH $content_length; }"));
  RawClient c(s.port());
  c.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
  CHECK(c.read_response().body == "5 hello");
}

TEST_CASE("copies and the originals of bodies that are longer than memory") {
  std::atomic<std::size_t> copied = 0;
  const auto length_of = [](RawClient& c) {
    const std::string head = c.read_until("\r\n\r\n");
    const std::size_t length = std::stoul(head.substr(head.find("Content-Length: ") + 16));
    return c.read(length).size();
  };
  Upstream mirror([&](RawClient& c) {
    copied = length_of(c);
    c.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  });
  Upstream up([&](RawClient& c) {
    const std::string size = std::to_string(length_of(c));
    c.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size.size()) + "\r\n\r\n" + size);
  });
  Server s(server("location / { mirror /copy; proxy_pass " + up.url() + "; } location /copy { internal; proxy_pass " + mirror.url() + "; }"));
  CHECK(post(s, "/", 2'000'000).body == "2000000");
  s.stop();
  CHECK(copied == 2'000'000);
}

TEST_CASE("a subrequest asks for no WebSocket") {
  std::string asked;
  Upstream auth([&](RawClient& c) {
    asked = c.read_until("\r\n\r\n");
    c.send("HTTP/1.1 204 No Content\r\n\r\n");
  });
  Upstream up(answer_early("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"));
  Server s(server("location / { auth_request /auth; proxy_pass " + up.url() + "; } location /auth { internal; proxy_pass " + auth.url() + "; }"));
  RawClient c(s.port());
  c.send("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
  CHECK(c.read_response().status == 101);
  CHECK_THAT(asked, !ContainsSubstring("pgrade"));
}

TEST_CASE("an interim status of a program is no response") {
  Upstream up([](RawClient& c) {
    read_fastcgi(c);
    c.send(fastcgi_response("Status: 103 Early\r\n\r\n"));
  });
  Server s(server("location / { fastcgi_pass 127.0.0.1:" + std::to_string(up.port()) + "; }"));
  CHECK(get(s.url()).status == 502);
}

TEST_CASE("an if that says nothing to the rewrite module skips no step behind it") {
  Server s(server("location / { if ($arg_a) { rewrite_log on; } more_clear_input_headers X-User; echo \"[$http_x_user]\"; }"));
  CHECK_THAT(get(s.url("/"), {"X-User: me"}).body, ContainsSubstring("[]"));
  CHECK_THAT(get(s.url("/?a=1"), {"X-User: me"}).body, ContainsSubstring("[]"));
}

TEST_CASE("handlers hold in an if of their location") {
  Server s(server("location = /1.gif { if ($arg_a) { add_header X-If yes; } empty_gif; } location /e { if ($arg_a) { add_header X-If yes; } echo hi; }"));
  for (const char* path : {"/1.gif?a=1", "/e?a=1"}) {
    const Response r = get(s.url(path));
    CHECK(r.status == 200);
    CHECK(r.header("X-If") == "yes");
  }
}

// The prefix is root's; the worker is not. Its folders are made for it.
TEST_CASE("bodies that go through files do so where only root may make a folder") {
  if (::geteuid() != 0) {
    WARN("needs root: skipped");
    return;
  }
  const std::string above = make_folder();
  REQUIRE(::chmod(above.c_str(), 0711) == 0);  // the worker may pass through, not write
  Upstream up([](RawClient& c) {
    c.read_until(std::string(64 * 1024, 'b'));
    c.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  Server s("user nobody nogroup;\nevents {}\nhttp { " +
           server("client_body_buffer_size 1k; client_body_temp_path " + above + "/bodies; location / { proxy_pass " + up.url() + "; }") + " }");
  CHECK(post(s, "/", 64 * 1024).body == "ok");
}

TEST_CASE("X-Accel-Redirect to a named location") {
  Upstream up([](RawClient& c) {
    c.read_until("\r\n\r\n");
    c.send("HTTP/1.1 200 OK\r\nX-Accel-Redirect: @named\r\nContent-Type: text/told\r\nSet-Cookie: a=1\r\nConnection: close\r\n\r\n");
  });
  Server s(server("location / { proxy_pass " + up.url() + "; } location @named { return 200 \"$request_method $uri\"; } "
                  "location = /lost { proxy_pass " + up.url() + "; error_page 500 /page; } location = /page { return 200 page; }"));
  RawClient c(s.port());
  c.send("PUT /a%20b HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  const Response r = c.read_response();
  CHECK(r.status == 200);
  CHECK(r.body == "PUT /a b");
  CHECK(r.header("Content-Type") == "text/told");
  CHECK(r.header("Set-Cookie") == "a=1");
}

TEST_CASE("X-Accel-Buffering says whether a response is read ahead of its client, and a stream of events is not") {
  constexpr std::size_t kSize = 32 << 20;
  std::atomic<int> whole = 0;
  std::atomic<std::size_t> sent = 0;
  Upstream up([&](RawClient& c) {
    const std::string asked = c.read_until("\r\n\r\n");
    const std::string told = asked.find("/yes") != asked.npos ? "X-Accel-Buffering: yes"
                             : asked.find("/no") != asked.npos ? "X-Accel-Buffering: no" : "Content-Type: text/Event-Stream;charset=utf-8";
    c.send("HTTP/1.1 200 OK\r\nConnection: close\r\n" + told + "\r\nContent-Length: " + std::to_string(kSize) + "\r\n\r\n");
    const std::string piece(64 * 1024, 'x');
    for (std::size_t n = 0; n < kSize; n += piece.size()) {
      c.send(piece);
      sent += piece.size();
    }
    ++whole;
  });
  Server s(server("location /yes { proxy_pass " + up.url() + "; proxy_buffering off; } location /no { proxy_pass " + up.url() + "; } "
                  "location /yes/ignored { proxy_pass " + up.url() + "; proxy_buffering off; proxy_ignore_headers X-Accel-Buffering; } "
                  "location /events { proxy_pass " + up.url() + "; }"));
  const auto ask = [&](RawClient& c, const std::string& path) { c.send("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n"); };
  RawClient yes(s.port(), "127.0.0.1", 4096);
  ask(yes, "/yes");
  CHECK(wait_until([&] { return whole == 1; }));  // and not a byte of it was read by the client
  CHECK(s.wait_for_log("buffered to a temporary file.*\"GET /yes HTTP"));
  yes.reset();
  for (const std::string path : {"/no", "/yes/ignored", "/events"}) {
    RawClient no(s.port());
    sent = 0;
    ask(no, path);
    CHECK(wait_until([&] { return sent > 1 << 20; }));  // more than the client takes
    CHECK(no.read_response().body.size() == kSize);
    CHECK(s.error_log().find("\"GET " + path + " HTTP") == std::string::npos);  // not a line about a file
  }
}
