// The profile of scripts: Lua's functions by their own names, of one loop at a time, and nothing of it is left behind.
#include <csignal>

#include "catch.h"
#include "e2e/busy.h"
#include "e2e/curl.h"
#include "e2e/loops_turn.h"
#include "e2e/pprof_file.h"
#include "e2e/probe.h"
#include "e2e/raw_client.h"
#include "e2e/server.h"
#include "e2e/timing.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

const std::string kPages = "location /debug/ { allow 127.0.0.1; deny all; profile; } ";
const std::string kScript = R"(location / { content_by_lua_block {
  local function inner_in_lua(t, n)
    for i = 1, n do t[i % 100 + 1] = string.format("%d", i) end
    return t
  end
  local function outer_in_lua()
    local t = {}
    for _ = 1, 20 do inner_in_lua(t, 1000) end
    return #t
  end
  outer_in_lua()
  ngx.say("done")
} } )";

std::string server(const std::string& inside, const std::string& beside = {}) {
  return "access_log off; " + beside + " server { listen 127.0.0.1:%%PORT_0%%; " + inside + " }";
}

// Is SIGPROF in that set ("SigCgt:") of the process that serves?
bool has_signal(const Server& s, const std::string& set) {
  const std::string status = read_file("/proc/" + std::to_string(serving_process(s)) + "/status");
  const auto at = status.find(set);
  REQUIRE(at != std::string::npos);
  return std::stoull(status.substr(at + set.size()), nullptr, 16) >> (SIGPROF - 1) & 1;
}

// LuaJIT's profiler is at work there.
bool is_profiled(const Server& s) { return has_signal(s, "SigCgt:"); }

RawClient begin_profile(const Server& s, const std::string& arguments) {
  RawClient client(s.port());
  client.send("GET /debug/lua?" + arguments + " HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(wait_until([&] { return is_profiled(s); }));
  return client;
}

}  // namespace

TEST_CASE("a profile of scripts names Lua's functions, compiled or not") {
  const std::string jit = GENERATE("on", "off");
  Server s(server(kPages + kScript, "lua_jit " + jit + ";"));
  const Busy busy(s.url("/"));
  const PprofFile file = profile_with(s, "/debug/lua?seconds=1", ":inner_in_lua");
  CHECK(file.types == std::vector<std::string>{"samples/count", "cpu/nanoseconds"});
  CHECK(file.default_type == "cpu");
  CHECK(file.period == 10'000'000);
  CHECK(file.duration >= 900'000'000);
  CHECK(file.total(1) == file.total(0) * file.period);
  for (const auto& sample : file.samples) {
    CHECK(sample.loop == 0);
    for (std::size_t i = 0; i + 1 < sample.frames.size(); ++i)
      if (sample.frames[i].ends_with(":inner_in_lua")) CHECK(sample.frames[i + 1].ends_with(":outer_in_lua"));
  }
  // Not what the loop did besides.
  CHECK(file.total(1) <= file.duration);
  CHECK(get(s.url("/")).body == "done\n");
}

TEST_CASE("a profile of scripts as a flame graph") {
  Server s(server(kPages + kScript));
  const Busy busy(s.url("/"));
  Response graph;
  CHECK(wait_until([&] {
    graph = get(s.url("/debug/lua?seconds=1&format=svg"));
    return graph.body.find(":outer_in_lua") != std::string::npos;
  }, 4 * kPatience));
  CHECK(graph.header("Content-Type") == "image/svg+xml");
  CHECK_THAT(graph.body, Catch::Matchers::StartsWith("<svg ") && !ContainsSubstring("<script"));
}

TEST_CASE("a profile of scripts where none runs meanwhile is empty") {
  Server s(server(kPages + kScript));
  const Response file = get(s.url("/debug/lua?seconds=1"));
  REQUIRE(file.status == 200);
  CHECK(PprofFile(file.body).samples.empty());
  CHECK_THAT(get(s.url("/debug/lua?seconds=1&format=svg")).body, Catch::Matchers::StartsWith("<svg "));
}

TEST_CASE("where Lua is not loaded there is no profile of scripts") {
  Server s(server(kPages));
  const Response none = get(s.url("/debug/lua"));
  CHECK(none.status == 404);
  CHECK(none.body == "no scripts run here\n");
}

TEST_CASE("one profile of scripts at a time in the process, and none goes on when its client has left") {
  Server s("worker_processes 2;\nevents {}\nhttp { " + server(kPages + kScript) + " }");
  CHECK(loops_turn(s, 2));
  RawClient first = begin_profile(s, "seconds=60&loop=0");
  CHECK(get(s.url("/debug/lua?seconds=1&loop=1")).status == 409);
  CHECK(get(s.url("/debug/lua?seconds=1&loop=0")).body == "another profile of scripts is being made\n");
  CHECK(get(s.url("/debug/lua?seconds=1&loop=2")).status == 400);
  { const RawClient gone = std::move(first); }
  CHECK(wait_until([&] { return !is_profiled(s); }));
  CHECK(get(s.url("/debug/lua?seconds=1&loop=1")).status == 200);
  CHECK_FALSE(is_profiled(s));
  CHECK_FALSE(has_signal(s, "SigIgn:"));  // which programs that scripts start would inherit
}

TEST_CASE("a script that profiles itself has LuaJIT's profiler") {
  Server s(server(kPages + R"(location /on { content_by_lua_block { require("jit.profile").start("f", function() end) ngx.say("on") } }
                              location /off { content_by_lua_block { require("jit.profile").stop() ngx.say("off") } } )" + kScript));
  CHECK(get(s.url("/on")).body == "on\n");
  CHECK(get(s.url("/debug/lua?seconds=1")).status == 409);
  CHECK(get(s.url("/off")).body == "off\n");
  CHECK(get(s.url("/debug/lua?seconds=1")).status == 200);
}

TEST_CASE("a script that begins to profile itself takes LuaJIT's profiler over, and keeps it") {
  Server s(server(kPages + R"(location /on { content_by_lua_block { require("jit.profile").start("f", function() end) ngx.say("on") } }
                              location /off { content_by_lua_block { require("jit.profile").stop() ngx.say("off") } } )" + kScript));
  RawClient client = begin_profile(s, "seconds=1");
  CHECK(get(s.url("/on")).body == "on\n");
  CHECK(client.read_response().status == 200);
  CHECK(is_profiled(s));
  CHECK(get(s.url("/debug/lua?seconds=1")).status == 409);
  CHECK(get(s.url("/off")).body == "off\n");
  CHECK(get(s.url("/debug/lua?seconds=1")).status == 200);
}

TEST_CASE("a script that ends LuaJIT's profiler ends the profile, and not the worker") {
  Server s(server(kPages + R"(location /off { content_by_lua_block { require("jit.profile").stop() ngx.say("off") } } )" + kScript));
  const pid_t worker = serving_process(s);
  RawClient client = begin_profile(s, "seconds=2");
  CHECK(get(s.url("/off")).body == "off\n");
  const Busy busy(s.url("/"));
  CHECK(client.read_response().status == 200);
  CHECK(serving_process(s) == worker);
}

// A loop of the old worker without a connection has ended: its profile does, too.
TEST_CASE("a reload amid a profile of scripts leaves its client with what was seen") {
  Server s("worker_processes 2;\nevents {}\nhttp { " + server(kPages + kScript) + " }");
  CHECK(loops_turn(s, 2));
  RawClient client = begin_profile(s, "seconds=3&loop=1");
  REQUIRE(s.reload());
  const Response file = client.read_response();
  CHECK(file.status == 200);
  CHECK(PprofFile(file.body).duration > 0);
}

TEST_CASE("a server that is told to end ends amid a profile of scripts") {
  Server s("worker_processes 2;\nevents {}\nhttp { " + server(kPages + kScript) + " }");
  CHECK(loops_turn(s, 2));
  RawClient client = begin_profile(s, "seconds=60&loop=1");
  s.signal(SIGTERM);
  CHECK(client.expect_close(kPatience));
}
