// tasks of the profiler: what waits, in which phase, for how much longer, and which coroutines it is.
#include <atomic>
#include <csignal>
#include <functional>
#include <thread>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/h2_client.h"
#include "e2e/loops_turn.h"
#include "e2e/pprof_file.h"
#include "e2e/raw_client.h"
#include "e2e/server.h"
#include "e2e/times_in.h"
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

// The text, once that is in it so often.
std::string tasks_with(const Server& s, const std::string& what, int times = 1) {
  std::string text;
  const bool found = wait_until([&] { return times_in(text = get(s.url("/debug/tasks")).body, what) >= times; });
  INFO(text);
  CHECK(found);
  return text;
}

// The line that has this, and what belongs to it: the lines behind it that are further in.
std::string part_with(const std::string& text, const std::string& what) {
  INFO(text);
  const auto found = text.find(what);
  REQUIRE(found != text.npos);
  const auto begin = found == 0 ? 0 : text.rfind('\n', found) + 1;
  const auto indent = text.find_first_not_of(' ', begin) - begin;
  auto end = text.find('\n', found) + 1;
  while (end < text.size() && text.find_first_not_of(' ', end) - end > indent) end = text.find('\n', end) + 1;
  return text.substr(begin, end - begin);
}

// "..., 12.345 s left": of the first line.
double left(const std::string& part) {
  INFO(part);
  const auto end = part.substr(0, part.find('\n')).find(" s left");
  REQUIRE(end != part.npos);
  return std::stod(part.substr(part.rfind(' ', end - 1) + 1));
}

}  // namespace

TEST_CASE("tasks: a request whose back end does not answer, with its phase, its deadlines and its coroutines") {
  Upstream up(take_in);
  Server s(server("location /slow { proxy_read_timeout 77s; request_max_time 200s; proxy_pass " + up.url() + "; }"));
  RawClient client(s.port());
  client.send("GET /slow?a=\" HTTP/1.1\r\nHost: a.example\r\n\r\n");
  const std::string text = tasks_with(s, "socket: upstream_read");
  const std::string request = part_with(text, "\"GET /slow");
  CHECK_THAT(request, ContainsSubstring("\"GET /slow?a=\\x22 HTTP/1.1\" of \"a.example\" in location /slow in "));
  CHECK_THAT(request, ContainsSubstring(": handler for ") && ContainsSubstring(", passed to \"" + up.url() + "/slow"));
  CHECK((left(request) > 100 && left(request) <= 200));
  const std::string wait = part_with(request, "socket: upstream_read, ");
  CHECK((left(wait) > 30 && left(wait) <= 77));
  CHECK_THAT(wait, ContainsSubstring(" < Forwarding::run < ") && ContainsSubstring(" < run_handler < one_request < serve_h1 < serve\n"));
  std::size_t at = text.find("\"GET /slow");
  at = text.rfind("  connection ", at);
  const std::string connection = part_with(text.substr(at), "connection ");
  CHECK_THAT(connection, ContainsSubstring(" at 127.0.0.1:" + std::to_string(s.port()) + ", HTTP/1: handler for ") && ContainsSubstring("\"GET /slow"));
  CHECK(left(connection) <= 77);
  CHECK_THAT(part_with(text, "\"GET /debug/tasks HTTP/1.1\""), ContainsSubstring("event: handler"));  // the one who looks
  CHECK_THAT(part_with(text, "without a connection"), ContainsSubstring("event: accept: Listener::run\n"));
}

TEST_CASE("tasks: an idle connection has keepalive_timeout left") {
  Server s(server("keepalive_timeout 55s; location / { return 204; }"));
  RawClient client(s.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(client.read_response().status == 204);
  const std::string connection = part_with(tasks_with(s, ", HTTP/1: idle for "), ", HTTP/1: idle for ");
  CHECK((left(connection) > 20 && left(connection) <= 55));
  const std::string wait = part_with(connection, "socket: idle, ");
  CHECK((left(wait) > 20 && left(wait) <= 55));
  CHECK_THAT(wait, ContainsSubstring(": wait_for_request < serve_h1 < serve\n"));
}

TEST_CASE("tasks: a client that has said half of a head, and what it is waited for") {
  Server s(server("client_header_timeout 44s; location / { return 204; }"));
  RawClient client(s.port());
  client.send("GET / HT");
  const std::string connection = part_with(tasks_with(s, ", HTTP/1: header for "), ", HTTP/1: header for ");
  CHECK(left(connection) <= 44);
  CHECK_THAT(connection, ContainsSubstring("socket: header, ") && ContainsSubstring(" < read_head < read_request < serve_h1 < serve\n"));
}

TEST_CASE("tasks: the streams of a connection over HTTP/2") {
  Upstream up(take_in);
  Server s(server("location /slow { proxy_read_timeout 77s; proxy_pass " + up.url() + "; }"));
  H2Client client(s.port());
  client.request(1, "/slow/1");
  client.request(3, "/slow/3");
  const std::string connection = part_with(tasks_with(s, "socket: upstream_read", 2), ", HTTP/2: h2 for ");
  CHECK_THAT(connection, ContainsSubstring(": H2Connection::read < H2Connection::run < serve_h2 < serve\n"));
  CHECK_THAT(connection, ContainsSubstring("\n    event: ") && ContainsSubstring(": H2Connection::write\n"));
  for (const std::string number : {"1", "3"}) {
    const std::string stream = part_with(connection, "    stream " + number + ": ");
    CHECK_THAT(stream, ContainsSubstring("\"GET /slow/" + number + " HTTP/2.0\"") && ContainsSubstring(": handler for "));
    const std::string wait = part_with(stream, "socket: upstream_read, ");
    CHECK((left(wait) > 30 && left(wait) <= 77));
    CHECK_THAT(wait, ContainsSubstring(" < serve_h2_stream\n"));
  }
}

TEST_CASE("tasks: a stream whose response waits for the client's window, with its own deadline") {
  Server s(server("location /big { root %%DIR%%; send_timeout 66s; send_min_rate 0; }"), {{"big", std::string(200'000, 'x')}});
  H2Client client(s.port());
  client.request(1, "/big");
  REQUIRE(client.wait_for(NGHTTP2_HEADERS, 1).fields.size() > 1);
  const std::string connection = part_with(tasks_with(s, ": send for "), ", HTTP/2: h2 for ");
  CHECK_THAT(connection.substr(0, connection.find('\n')), !ContainsSubstring(" left"));  // of nobody but its streams
  const std::string stream = part_with(connection, "    stream 1: ");
  CHECK_THAT(stream, ContainsSubstring("\"GET /big HTTP/2.0\"") && ContainsSubstring(": send for "));
  const std::string wait = part_with(stream, "event: send, ");
  INFO(wait);
  CHECK((left(wait) > 20 && left(wait) <= 66));
  CHECK_THAT(wait, ContainsSubstring(" < write_h2 < serve_h2_stream\n"));
}

TEST_CASE("tasks: a connection over HTTP/2 has none of the streams that have been served") {
  Server s(server("location / { return 204; } location /sleep { content_by_lua_block { ngx.sleep(60) } }"));
  H2Client client(s.port());
  for (std::uint32_t stream = 1; stream < 20; stream += 2) {
    client.request(stream, "/");
    CHECK(client.read_response(stream).status == 204);
  }
  client.request(21, "/sleep");
  const std::string connection = part_with(tasks_with(s, "    stream 21: "), ", HTTP/2: h2 for ");
  CHECK(times_in(connection, "\n    stream ") == 1);
  CHECK_THAT(part_with(connection, "    stream 21: "), ContainsSubstring("lua::run_script < "));
}

TEST_CASE("tasks: a script that sleeps") {
  Server s(server("location /lua { content_by_lua_block { ngx.sleep(60) ngx.say('done') } }"));
  RawClient client(s.port());
  client.send("GET /lua HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string request = part_with(tasks_with(s, "lua::run_script < "), "\"GET /lua ");
  CHECK_THAT(request, ContainsSubstring(": handler for ") && ContainsSubstring("      event: handler") && ContainsSubstring("lua::run_script < "));
}

TEST_CASE("tasks: as a profile and as a flame graph") {
  Upstream up(take_in);
  Server s(server("location /slow { proxy_pass " + up.url() + "; }"));
  RawClient first(s.port()), second(s.port());
  for (RawClient* client : {&first, &second}) client->send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  tasks_with(s, "socket: upstream_read", 2);
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
  CHECK(loops_turn(s, 2));
  std::vector<RawClient> clients;
  for (int i = 0; i < 5; ++i) {
    clients.emplace_back(s.port());
    clients.back().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(clients.back().read_response().status == 204);
  }
  CHECK_THAT(get(s.url("/debug/tasks")).body, ContainsSubstring("loop 0, connections: ") && ContainsSubstring("loop 1, connections: "));
  CHECK_THAT(get(s.url("/debug/tasks?loop=1")).body, ContainsSubstring("loop 1") && !ContainsSubstring("loop 0"));
  const std::string few = get(s.url("/debug/tasks?most=1")).body;
  CHECK(times_in(few, "\n  connection ") <= 2);
  CHECK_THAT(few, ContainsSubstring("  left out: connections: "));
  for (const char* wrong : {"format=json", "format=xml", "most=0", "most=x", "most=10001", "loop=7"}) CHECK(get(s.url("/debug/tasks?" + std::string(wrong))).status == 400);
}

TEST_CASE("tasks: one of each, and all others are counted") {
  Upstream up(take_in);
  Server s(server("location / { return 204; } location /slow { proxy_pass " + up.url() + "; }"));
  H2Client h2(s.port());  // the oldest that has something to do
  for (std::uint32_t stream : {1u, 3u, 5u}) h2.request(stream, "/slow");
  tasks_with(s, "socket: upstream_read", 3);
  std::vector<RawClient> idle;
  for (int i = 0; i < 25; ++i) {
    idle.emplace_back(s.port());
    idle.back().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(idle.back().read_response().status == 204);
  }
  // With the one that asks; connections that asked before may still be there.
  std::string text;
  CHECK(wait_until([&] {
    text = get(s.url("/debug/tasks?most=1")).body;
    return text.find("  left out: connections: 26, requests: 3, coroutines: ") != text.npos;
  }));
  INFO(text);
  CHECK_THAT(text, Catch::Matchers::StartsWith("loop 0, connections: 27\n"));
  CHECK(times_in(text, "\n  connection ") == 1);
  CHECK(times_in(text, "\n    stream ") == 1);
  int waits = 0;
  for (const char* kind : {" event: ", " socket: ", " time: ", " tasks to end"}) waits += times_in(text, kind);
  CHECK(waits == 1);
  // All of them, seen or not: those of the connections, and what the loop has besides.
  const auto counted = text.find("coroutines: ");
  REQUIRE(counted != text.npos);
  CHECK(std::stoi(text.substr(counted + 12)) >= 25 + 2 + 3 + 1);
}

TEST_CASE("tasks: of a client's long line only the begin") {
  Server s(server("location / { content_by_lua_block { ngx.sleep(60) } }"));
  RawClient client(s.port());
  client.send("GET /?" + std::string(5'000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string request = part_with(tasks_with(s, "lua::run_script < "), "\"GET /?aaa");
  CHECK_THAT(request, ContainsSubstring("aaa...\" of \"a\" in "));
  CHECK((times_in(request, "a") > 1'000 && times_in(request, "a") < 1'200));
}

namespace {

// On the loop of that number, of two.
RawClient client_of_loop(const Server& s, int loop) {
  for (int i = 0; i < 200; ++i) {
    RawClient client(s.port());
    client.send("GET /debug/tasks?whose=this HTTP/1.1\r\nHost: a\r\n\r\n");
    const std::string text = client.read_response().body;
    const auto other = text.find("\nloop 1");
    if (other == text.npos) continue;  // it has not turned yet
    if ((text.find("?whose=this") > other) == (loop == 1)) return client;
  }
  throw std::runtime_error("no connection comes to loop " + std::to_string(loop));
}

}  // namespace

TEST_CASE("tasks: a loop that a script holds keeps no other from its answer") {
  Server s("worker_processes 2;\nevents {}\nhttp { lua_cpu_budget 0; " + server(R"(location /hold { content_by_lua_block {
    ngx.say("holds") ngx.flush(true)
    while not io.open("%%DIR%%/go") do end
  } })") + " }");
  RawClient holder = client_of_loop(s, 0), client = client_of_loop(s, 1);
  holder.send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
  holder.read_until("holds");
  std::string text;
  const bool found = wait_until([&] {
    client.send("GET /debug/tasks HTTP/1.1\r\nHost: a\r\n\r\n");
    text = client.read_response().body;
    return text.find("loop 0 is too busy to answer\nloop 1, connections: ") != text.npos;
  });
  s.file("go", "");
  INFO(text);
  CHECK(found);
  CHECK_THAT(text, ContainsSubstring("\"GET /debug/tasks HTTP/1.1\""));
  holder.read_until("0\r\n\r\n");
  CHECK_THAT(tasks_with(s, "loop 0, connections: "), ContainsSubstring("loop 1, connections: "));
}

// It would not answer, and who asks it would wait.
TEST_CASE("tasks: a loop that has ended, of a worker that has not, is none of its loops any more") {
  Server s("worker_processes 2;\nevents {}\nhttp { keepalive_min_timeout 60s; " + server("location / { return 204; }") + " }");
  std::vector<RawClient> clients;  // each may ask once more when their worker is to end
  for (int i = 0; i < 6; ++i) clients.push_back(client_of_loop(s, 0));
  REQUIRE(s.reload());
  std::string text;
  const bool ended = wait_until([&] {
    if (clients.empty()) return true;
    clients.back().send("GET /debug/tasks HTTP/1.1\r\nHost: a\r\n\r\n");
    text = clients.back().read_response().body;
    clients.pop_back();
    CHECK_THAT(text, !ContainsSubstring("too busy"));
    return text.find("\nloop 1") == text.npos;
  });
  INFO(text);
  CHECK(ended);
  CHECK(text.find("\nloop 1") == text.npos);
}

TEST_CASE("tasks: amid reloads, and the end of the server") {
  Server s("worker_processes 2;\nevents {}\nhttp { " + server("location / { return 204; }") + " }");
  std::atomic<bool> ending{false};
  bool failed_before = false;
  std::thread asking([&] {
    try {
      for (;;) get(s.url("/debug/tasks"));
    } catch (const std::exception&) {
      failed_before = !ending;
    }
  });
  for (int i = 0; i < 3; ++i) CHECK(s.reload());
  ending = true;
  s.signal(SIGTERM);
  asking.join();
  CHECK_FALSE(failed_before);
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
