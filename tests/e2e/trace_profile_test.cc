// trace of the profiler: what holds a loop up, by name.
#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "catch.h"
#include "e2e/busy.h"
#include "e2e/curl.h"
#include "e2e/loops_turn.h"
#include "e2e/pprof_file.h"
#include "e2e/raw_client.h"
#include "e2e/server.h"
#include "e2e/timing.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr double kHeld = 45'000;  // us: 50 ms by the clock of the processor, which is a coarse one

// A handler that holds its loop for 50 ms, at once or when it has waited.
const std::string kHolds = R"(
  location /busy { content_by_lua_block { local t = os.clock() while os.clock() - t < 0.05 do end ngx.say("done") } }
  location /later { content_by_lua_block { ngx.sleep(0.001) local t = os.clock() while os.clock() - t < 0.05 do end ngx.say("done") } })";

std::string server(const std::string& inside = kHolds) {
  return "access_log off; server { listen 127.0.0.1:%%PORT_0%%; location /debug/ { allow 127.0.0.1; deny all; profile; } " + inside + " }";
}

nlohmann::json events_of(const Server& s) {
  const Response response = get(s.url("/debug/trace?seconds=1&format=json"));
  REQUIRE(response.status == 200);
  CHECK(response.header("Content-Type") == "application/json");
  return nlohmann::json::parse(response.body);
}

}  // namespace

TEST_CASE("trace: a handler that holds the loop is one long event with the name of its location") {
  Server s(server());
  const Busy busy(s.url("/busy"));
  nlohmann::json trace;
  int held = 0, turns = 0;
  const auto met = [&] {
    trace = events_of(s);
    for (const auto& event : trace["traceEvents"]) {
      if (event["ph"] != "X") continue;
      CHECK(event["tid"] == 0);
      if (event["dur"] < kHeld) continue;
      if (event["name"] == "turn") ++turns;
      if (event["cat"] != "coroutine" || !event["args"].contains("location")) continue;
      ++held;
      CHECK_THAT(event["name"].get<std::string>(), Catch::Matchers::StartsWith("location /busy in "));
      CHECK_THAT(event["args"]["stack"].get<std::string>(), ContainsSubstring("serve_h1 < serve"));
    }
    return held > 0 && turns > 0;
  };
  CHECK(wait_until(met, 4 * kPatience));
  CHECK(trace["metadata"]["events_left_out"] == 0);
  CHECK(trace["metadata"]["seconds"] >= 0.9);
}

TEST_CASE("trace: its events name their stacks, each of whose frames is there once") {
  Server s(server());
  const Busy busy(s.url("/busy"));
  const nlohmann::json trace = events_of(s);
  const auto& frames = trace["stackFrames"];
  int coroutines = 0;
  for (const auto& event : trace["traceEvents"]) {
    if (event["ph"] != "X" || event["cat"] != "coroutine") continue;
    ++coroutines;
    const nlohmann::json* frame = &frames[std::to_string(event["sf"].get<int>())];
    CHECK((*frame)["name"] == event["name"]);
    while (frame->contains("parent")) frame = &frames[(*frame)["parent"].get<std::string>()];
    CHECK(frame->contains("name"));
  }
  CHECK(coroutines > 0);
  std::set<std::pair<std::string, std::string>> once;
  for (const auto& frame : frames) CHECK(once.emplace(frame.value("parent", ""), frame["name"].get<std::string>()).second);
}

TEST_CASE("trace: what goes on after a wait has the names of its coroutines, and its time in the profile") {
  Server s(server());
  const Busy busy(s.url("/later"));
  std::optional<PprofFile> file;
  bool found = false;
  const auto met = [&] {
    file.emplace(get(s.url("/debug/trace?seconds=1")).body);
    for (const auto& sample : file->samples) {
      CHECK(sample.loop == 0);
      CHECK(sample.values[2] <= sample.values[1]);
      if (sample.frames.front().find("location /later") != 0 || sample.values[2] < 1000 * kHeld) continue;
      found = true;
      CHECK(std::count(sample.frames.begin(), sample.frames.end(), "run_handler") == 1);
      CHECK(sample.frames.back() == "serve");
    }
    return found;
  };
  CHECK(wait_until(met, 4 * kPatience));
  CHECK(file->types == std::vector<std::string>{"resumptions/count", "time/nanoseconds", "longest/nanoseconds"});
  CHECK(file->default_type == "time");
  CHECK(file->total(1, "timers") > 0);
  Response graph;
  CHECK(wait_until([&] {
    graph = get(s.url("/debug/trace?seconds=1&format=svg"));
    return graph.body.find("<title>location /later in ") != graph.body.npos;
  }, 4 * kPatience));
  CHECK(graph.header("Content-Type") == "image/svg+xml");
}

TEST_CASE("trace: one of a loop at a time, and none goes on when its client has left") {
  Server s("worker_processes 2;\nevents {}\nhttp { " + server("location / { return 204; }") + " }");
  CHECK(loops_turn(s, 2));
  RawClient first(s.port());
  first.send("GET /debug/trace?seconds=60&loop=0 HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(traces_run(s, 1));
  CHECK(get(s.url("/debug/trace?seconds=1&loop=0")).status == 409);
  CHECK(get(s.url("/debug/trace?seconds=1&loop=1")).status == 200);
  { const RawClient gone = std::move(first); }
  CHECK(wait_until([&] { return get(s.url("/debug/trace?seconds=1&loop=0")).status == 200; }));
}

TEST_CASE("trace: a worker that is to end ends it, and its client gets what there is") {
  Server s(server("location / { return 204; }"));
  RawClient client(s.port());
  client.send("GET /debug/trace?seconds=60&format=json HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(traces_run(s, 1));
  s.reload();
  const Response response = client.read_response();
  CHECK(response.status == 200);
  CHECK(nlohmann::json::parse(response.body)["metadata"]["seconds"] < 60);
}

TEST_CASE("trace: a server that is stopped at once asks no loop that has ended") {
  Server s("worker_processes 3;\nevents {}\nhttp { " + server("location / { return 204; }") + " }");
  CHECK(loops_turn(s, 3));
  std::vector<RawClient> clients;
  for (int loop = 0; loop < 3; ++loop) {
    const std::string path = "/debug/trace?seconds=60&loop=" + std::to_string(loop);
    clients.emplace_back(s.port());
    clients.back().send("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(traces_run(s, loop + 1));
  }
  s.signal(SIGTERM);
  for (RawClient& client : clients) CHECK(client.expect_close(kPatience));
}
