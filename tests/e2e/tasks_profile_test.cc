// tasks of the profiler: what waits, in which phase, for how much longer, and which coroutines it is.
#include <atomic>
#include <optional>
#include <regex>
#include <thread>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/h2_client.h"
#include "e2e/pprof_file.h"
#include "e2e/raw_client.h"
#include "e2e/server.h"
#include "e2e/timing.h"
#include "e2e/upstream.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

// Accepts, and does not answer.
void take_in(RawClient& c) {
  c.read_until("\r\n\r\n");
  c.expect_close(10 * kPatience);
}

std::string server(const std::string& inside) {
  return "access_log off; server { listen 127.0.0.1:%%PORT_0%%; http2 on; location /debug/ { allow 127.0.0.1; deny all; profile; } " + inside + " }";
}

// The text, once that is in it.
std::string tasks_with(const Server& s, const std::string& pattern, const std::string& path = "/debug/tasks") {
  std::string text;
  const auto has = [&] {
    text = get(s.url(path)).body;
    return std::regex_search(text, std::regex(pattern));
  };
  const bool found = wait_until(has);
  INFO(text);
  CHECK(found);
  return text;
}

// How many seconds it is that the pattern's first group has found.
double seconds_of(const std::string& text, const std::string& pattern) {
  std::smatch match;
  INFO(text << "\n" << pattern);
  REQUIRE(std::regex_search(text, match, std::regex(pattern)));
  return std::stod(match[1]);
}

}  // namespace

TEST_CASE("tasks: a request whose back end does not answer, with its phase, its deadlines and its coroutines") {
  Upstream up(take_in);
  Server s(server("location /slow { proxy_read_timeout 77s; handler_timeout 99s; proxy_pass " + up.url() + "; }"));
  RawClient client(s.port());
  client.send("GET /slow?a=\"\x7f HTTP/1.1\r\nHost: a.example\r\n\r\n");
  const std::string text = tasks_with(s, "socket: upstream_read");
  CHECK_THAT(text, ContainsSubstring("\"GET /slow?a=\\x22\\x7F HTTP/1.1\" of \"a.example\" in location /slow in "));
  CHECK_THAT(text, ContainsSubstring("passed to \"" + up.url() + "/slow"));
  const double left = seconds_of(text, "socket: upstream_read, ([0-9.]+) s left: [^\n]* < respond");
  CHECK((left > 30 && left <= 77));
  const double handler = seconds_of(text, "GET /slow[^\n]*: handler for [0-9.]+ s, ([0-9.]+) s left");
  CHECK((handler > 50 && handler <= 99));
  CHECK(std::regex_search(text, std::regex("connection [0-9]+ of 127.0.0.1:[0-9]+ at 127.0.0.1:" + std::to_string(s.port()) + ", HTTP/1: handler for")));
  CHECK(std::regex_search(text, std::regex("socket: upstream_read[^\n]* < one_request < serve_h1 < serve\n")));
  CHECK_THAT(text, ContainsSubstring("\"GET /debug/tasks HTTP/1.1\""));  // the one who looks
  CHECK(std::regex_search(text, std::regex("without a connection\n(    [^\n]*\n)*    [^\n]*accept[^\n]*")));
}

TEST_CASE("tasks: an idle connection has keepalive_timeout left") {
  Server s(server("keepalive_timeout 55s; location / { return 204; }"));
  RawClient client(s.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(client.read_response().status == 204);
  const std::string text = tasks_with(s, ", HTTP/1: idle for ");
  const double left = seconds_of(text, ", HTTP/1: idle for [0-9.]+ s, ([0-9.]+) s left\n    socket: idle, [0-9.]+ s left: wait_for_request < serve_h1 < serve\n");
  CHECK((left > 30 && left <= 55));
}

TEST_CASE("tasks: a client that has said half of a head has client_header_timeout left") {
  Server s(server("client_header_timeout 44s; location / { return 204; }"));
  RawClient client(s.port());
  client.send("GET / HT");
  const double left = seconds_of(tasks_with(s, ", HTTP/1: header for"), ", HTTP/1: header for [0-9.]+ s[^\n]*\n    socket: header, ([0-9.]+) s left: ");
  CHECK(left <= 44);
}

TEST_CASE("tasks: the streams of a connection over HTTP/2") {
  Upstream up(take_in);
  Server s(server("location /slow { proxy_read_timeout 77s; proxy_pass " + up.url() + "; }"));
  H2Client client(s.port());
  client.request(1, "/slow/1");
  client.request(3, "/slow/3");
  const std::string text = tasks_with(s, "(stream [13]: [^\n]*\n      socket: upstream_read[^\n]*\n[^@]*){2}");
  CHECK(std::regex_search(text, std::regex(", HTTP/2: h2 for [^\n]*\n(    [^\n]*\n)*    stream 1: \"GET /slow/1 HTTP/2.0\"[^\n]*: handler for [^\n]*\n"
                                           "(      [^\n]*\n)*      socket: upstream_read, [0-9.]+ s left: [^\n]* < serve_h2_stream\n")));
  CHECK(std::regex_search(text, std::regex("\n    [^\n]*: H2Connection::read < H2Connection::run < serve_h2 < serve\n")));
  CHECK(std::regex_search(text, std::regex("\n    event: [^\n]*: H2Connection::write\n")));
}

TEST_CASE("tasks: a script that sleeps") {
  Server s(server("location /lua { content_by_lua_block { ngx.sleep(60) ngx.say('done') } }"));
  RawClient client(s.port());
  client.send("GET /lua HTTP/1.1\r\nHost: a\r\n\r\n");
  tasks_with(s, "\"GET /lua [^\n]*: handler for [^\n]*\n(      [^\n]*\n)*      event: handler[^\n]*: Script::run < [^\n]* < serve\n");
}

TEST_CASE("tasks: as a profile and as a flame graph") {
  Upstream up(take_in);
  Server s(server("location /slow { proxy_pass " + up.url() + "; }"));
  RawClient first(s.port()), second(s.port());
  for (RawClient* client : {&first, &second}) client->send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  tasks_with(s, "(socket: upstream_read[^@]*){2}");
  const PprofFile file(get(s.url("/debug/tasks?format=pprof")).body);
  CHECK(file.types == std::vector<std::string>{"tasks/count"});
  CHECK(file.total(0, "socket: upstream_read") == 2);
  CHECK(file.total(0, "serve_h1") >= 3);
  for (const auto& sample : file.samples) CHECK(sample.loop == 0);
  const Response graph = get(s.url("/debug/tasks?format=svg"));
  CHECK(graph.header("Content-Type") == "image/svg+xml");
  CHECK_THAT(graph.body, ContainsSubstring("<title>serve_h1 ("));
}

TEST_CASE("tasks: of all loops or of one, and at most so many") {
  Server s("worker_processes 2;\nevents {}\nhttp { " + server("location / { return 204; }") + " }");
  std::vector<RawClient> clients;
  for (int i = 0; i < 5; ++i) {
    clients.emplace_back(s.port());
    clients.back().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(clients.back().read_response().status == 204);
  }
  CHECK_THAT(get(s.url("/debug/tasks")).body, ContainsSubstring("loop 0, connections: ") && ContainsSubstring("loop 1, connections: "));
  CHECK_THAT(get(s.url("/debug/tasks?loop=1")).body, ContainsSubstring("loop 1") && !ContainsSubstring("loop 0"));
  const std::string text = get(s.url("/debug/tasks?most=1")).body;
  std::smatch match;
  REQUIRE(std::regex_search(text, match, std::regex("left out: connections: ([0-9]+), requests: [0-9]+, coroutines: ([0-9]+)\n")));
  CHECK(std::stoi(match[2]) >= std::stoi(match[1]));
  for (const char* wrong : {"most=0", "most=x", "most=100001", "loop=7"}) CHECK(get(s.url("/debug/tasks?" + std::string(wrong))).status == 400);
}

TEST_CASE("tasks: while requests come and go, and connections end") {
  Server s(server("location / { return 200 text; } location /lua { content_by_lua_block { ngx.sleep(0.001) ngx.say('done') } }"));
  std::atomic<bool> stop{false};
  std::string failure;
  std::thread busy([&] {
    try {
      for (int i = 0; !stop; ++i) {
        H2Client h2(s.port());
        h2.request(1, "/lua");
        RawClient h1(s.port());
        h1.send("GET /lua HTTP/1.1\r\nHost: a\r\n\r\n");
        if (i % 3 == 0) continue;  // and leaves
        h2.read_response(1);
        h1.read_response();
        get(s.url("/"));
      }
    } catch (const std::exception& error) {
      failure = error.what();
    }
  });
  for (int i = 0; i < 40; ++i) CHECK(get(s.url(i % 4 ? "/debug/tasks" : "/debug/tasks?format=pprof")).status == 200);
  stop = true;
  busy.join();
  CHECK(failure.empty());
}
