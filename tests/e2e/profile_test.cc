// The profiler: there where its directive stands and nowhere else (B35), and what it says is what happened.
#include <filesystem>

#include "catch.h"
#include "e2e/busy.h"
#include "e2e/curl.h"
#include "e2e/pprof_file.h"
#include "e2e/probe.h"
#include "e2e/raw_client.h"
#include "e2e/server.h"
#include "e2e/timing.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

const std::string kPages = "location /debug/ { allow 127.0.0.1; deny all; profile; } ";

std::string server(const std::string& inside) {
  return "access_log off; root %%DIR%%/html; server { listen 127.0.0.1:%%PORT_0%%; " + inside + " }";
}

// "SigCgt:" and its like, of a process.
std::string status_line(pid_t process, const std::string& name) {
  const std::string status = read_file("/proc/" + std::to_string(process) + "/status");
  const auto at = status.find("\n" + name + ":");
  REQUIRE(at != std::string::npos);
  return status.substr(at + 1, status.find('\n', at + 1) - at - 1);
}

}  // namespace

TEST_CASE("without profile there is no path, no handler of a signal and no thread of the profiler (B35)") {
  Server plain(server("location / { return 204; }"));
  Server loaded("load_module profile.so;\nevents {}\nhttp { " + server("location / { return 204; } location = /a.txt { }") + " }",
                {{"html/a.txt", "a"}});
  for (const char* path : {"/profile", "/heap", "/debug/profile", "/debug/heap?format=svg", "/debug/"})
    CHECK(get(loaded.url(path)).status == 204);
  const pid_t without = serving_process(plain), with = serving_process(loaded);
  for (const char* line : {"SigCgt", "SigIgn", "SigBlk", "Threads"}) CHECK(status_line(with, line) == status_line(without, line));
}

TEST_CASE("profile is where it stands, and not around it") {
  Server s(server(kPages + "location /debug/inner/ { return 204; } location / { return 204; }"));
  CHECK_THAT(get(s.url("/debug/")).body, ContainsSubstring("/debug/profile?seconds=10"));
  CHECK(get(s.url("/debug/inner/heap")).status == 204);
  CHECK(get(s.url("/heap")).status == 204);
  CHECK(get(s.url("/debug/none")).status == 404);
  for (const char* wrong : {"profile?seconds=0", "profile?seconds=61", "profile?seconds=x", "profile?seconds=1&loop=7", "profile?loop=x"})
    CHECK(get(s.url("/debug/" + std::string(wrong))).status == 400);
  Request post;
  post.url = s.url("/debug/heap");
  post.method = "POST";
  post.body = "x";
  CHECK(fetch(post).status == 405);
}

TEST_CASE("a test of the configuration warns of a profiler that everybody can reach (B35)") {
  const auto said = [](const std::string& where) { return check_config(server(where)).err; };
  const std::string warning = "everybody may profile this server here";
  CHECK_THAT(said("location /debug/ { profile; }"), ContainsSubstring("[warn] " + warning) && ContainsSubstring("test is successful"));
  CHECK_THAT(said(kPages), !ContainsSubstring(warning));
  CHECK_THAT(said("deny all; location /debug/ { profile; }"), !ContainsSubstring(warning));
  CHECK_THAT(said("location /debug/ { auth_basic x; auth_basic_user_file u; profile; }"), !ContainsSubstring(warning));
  CHECK_THAT(said("location /debug/ { access_by_lua_block { ngx.exit(403) } profile; }"), !ContainsSubstring(warning));
  CHECK_THAT(said("access_by_lua_block { ngx.exit(403) } location /debug/ { profile; }"), !ContainsSubstring(warning));
  CHECK_THAT(said("location /debug/ { log_by_lua_block { } profile; }"), ContainsSubstring(warning));
  CHECK_THAT(said("auth_basic x; auth_basic_user_file u; location /debug/ { auth_basic off; profile; }"), ContainsSubstring(warning));
}

TEST_CASE("who may not come in gets no profile") {
  Server s(server("location /debug/ { deny all; profile; }"));
  for (const char* path : {"/debug/", "/debug/heap", "/debug/profile?seconds=1"}) CHECK(get(s.url(path)).status == 403);
}

TEST_CASE("a profile of the CPU names what the loops were at") {
  Server s("worker_processes 2;\nevents {}\nhttp { " + server(kPages + "location / { return 200 text; }") + " }");
  const Busy busy(s.url("/"));
  const PprofFile file = profile_with(s, "/debug/profile?seconds=1", "seawall::serve_h1(seawall::Connection&)");
  CHECK(file.types == std::vector<std::string>{"samples/count", "cpu/nanoseconds"});
  CHECK(file.default_type == "cpu");
  CHECK(file.period == 10'000'000);
  CHECK(file.duration >= 900'000'000);  // a loop's turn may make it a little less
  CHECK(file.total(1) == file.total(0) * file.period);
  CHECK(file.total(0, "seawall::Loop::") > 0);
  for (const auto& sample : file.samples) CHECK((sample.loop == 0 || sample.loop == 1));
  CHECK(std::any_of(file.build_ids.begin(), file.build_ids.end(), [](const std::string& id) { return id.size() == 40; }));
}

TEST_CASE("go tool pprof reads the files") {
  if (!std::filesystem::exists("/usr/bin/go")) {
    WARN("no go: skipped");
    return;
  }
  Server s(server(kPages + "location / { content_by_lua_block { for i = 1, 1000 do ngx.say(i) end } }"));
  const Busy busy(s.url("/"));
  for (const char* what : {"profile?seconds=1", "heap", "lua?seconds=1"}) {
    s.file("p.pb.gz", get(s.url("/debug/" + std::string(what))).body);
    const std::string out = s.folder() + "/top.txt";
    const std::string command = "HOME=" + s.folder() + " GOFLAGS=-mod=mod go tool pprof -symbolize=none -top " + s.folder() + "/p.pb.gz >" + out + " 2>&1";
    INFO(command);
    CHECK(std::system(command.c_str()) == 0);
    CHECK_THAT(s.read("top.txt"), ContainsSubstring("flat%"));
  }
}

TEST_CASE("one profile of the CPU at a time, and none goes on when its client has left") {
  Server s(server(kPages + "location / { return 204; }"));
  RawClient first(s.port());
  first.send("GET /debug/profile?seconds=60 HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(wait_until([&] { return get(s.url("/debug/profile?seconds=1")).status == 409; }));
  { const RawClient gone = std::move(first); }
  CHECK(wait_until([&] { return get(s.url("/debug/profile?seconds=1")).status == 200; }));
}

TEST_CASE("a profile of memory has what was allocated and what is in use") {
  Server s(server(kPages + "client_body_buffer_size 32m; client_max_body_size 32m; location /body { client_body_in_single_buffer on; "
                           "proxy_pass http://127.0.0.1:1; } location / { return 204; }"));
  Request request;
  request.url = s.url("/body");
  request.method = "POST";
  request.body = std::string(16 << 20, 'x');
  CHECK(fetch(request).status == 502);
  const PprofFile file(get(s.url("/debug/heap")).body);
  CHECK(file.types == std::vector<std::string>{"alloc_objects/count", "alloc_space/bytes", "inuse_objects/count", "inuse_space/bytes"});
  CHECK(file.total(1) >= file.total(3));
  if (!kStrictTimes) return;  // operator new is the sanitizer's
  CHECK(file.total(1) >= 16 << 20);
  CHECK(file.total(3) < 16 << 20);
  CHECK(file.total(1, "seawall::") >= 16 << 20);
}

TEST_CASE("flame graphs are pictures without scripts") {
  Server s(server(kPages + "location / { return 204; }"));
  const Busy busy(s.url("/"));
  Response cpu;
  CHECK(wait_until([&] {
    cpu = get(s.url("/debug/profile?seconds=1&format=svg"));
    return cpu.body.find("seawall::Loop::") != std::string::npos;
  }, 4 * kPatience));
  CHECK(cpu.header("Content-Type") == "image/svg+xml");
  CHECK_THAT(cpu.header("Content-Security-Policy"), ContainsSubstring("default-src 'none'"));
  CHECK_THAT(cpu.body, Catch::Matchers::StartsWith("<svg ") && !ContainsSubstring("<script"));
  CHECK_THAT(get(s.url("/debug/heap?format=svg")).body, Catch::Matchers::StartsWith("<svg "));
}

TEST_CASE("sampling does not walk into LuaJIT's frames") {
  Server s(server(kPages + R"(
    location / { content_by_lua_block {
      local t = {}
      for i = 1, 100000 do t[i % 100 + 1] = string.format("%d", i) end
      ngx.say("done")
    } })"));
  const Busy first(s.url("/")), second(s.url("/"));
  for (int i = 0; i < 2; ++i) profile_with(s, "/debug/profile?seconds=1", "luajit");
  CHECK(get(s.url("/debug/heap")).status == 200);
}
