// The access log: which requests get a line where, and what it says.
#include <signal.h>

#include <filesystem>

#include "catch.h"
#include "e2e/raw_client.h"
#include "e2e/server.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

// Sends one request and reads its response; the log line comes after that.
void ask(const Server& s, const std::string& target, const std::string& fields = {}) {
  RawClient c(s.port());
  c.send("GET " + target + " HTTP/1.1\r\nHost: a.test\r\n" + fields + "Connection: close\r\n\r\n");
  c.read_all();
}

// The log once it has a line that ends with `last`.
std::string log_up_to(const Server& s, const std::string& file, const std::string& last) {
  CHECK(s.wait_for_log(last + "$", file));
  return s.read(file);
}

std::string refusal(const std::string& http) {
  const Run run = check_config(http + " server { listen 127.0.0.1:%%PORT_0%%; }");
  CHECK(run.exit_code == 1);
  return run.err;
}

}  // namespace

TEST_CASE("access_log without a format is combined") {
  Server s("access_log a.log; server { listen 127.0.0.1:%%PORT_0%%; location / { return 200 hello; } }");
  ask(s, "/x?y", "Authorization: Basic dXNlcjpwYXNz\r\nReferer: http://r/\r\nUser-Agent: \"me\"\r\n");
  CHECK(s.wait_for_log("^127\\.0\\.0\\.1 - user \\[[0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9:]{8} [+-][0-9]{4}\\] "
                       "\"GET /x\\?y HTTP/1\\.1\" 200 5 \"http://r/\" \"\\\\x22me\\\\x22\"$", "a.log"));
  ask(s, "/");
  CHECK(s.wait_for_log("^127\\.0\\.0\\.1 - - \\[.*\\] \"GET / HTTP/1\\.1\" 200 5 \"-\" \"-\"$", "a.log"));
}

TEST_CASE("without access_log every request is in logs/access.log") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; location / { return 204; } location /off { access_log off; return 204; } }");
  ask(s, "/off");
  ask(s, "/on");
  CHECK_THAT(log_up_to(s, "logs/access.log", "\"GET /on .*"), !ContainsSubstring("/off"));
}

TEST_CASE("the default log is not opened where nobody writes to it") {
  Server s("access_log off; server { listen 127.0.0.1:%%PORT_0%%; }");
  CHECK_FALSE(std::filesystem::exists(s.folder() + "/logs/access.log"));
}

TEST_CASE("a default log that cannot be opened is a warning") {
  const Run run = check_config("server { listen 127.0.0.1:%%PORT_0%%; }", {{"logs/access.log/is_a_folder", ""}});
  CHECK(run.exit_code == 0);
  CHECK_THAT(run.err, ContainsSubstring("[warn] no access log is written where none is configured: open() \"") &&
                          ContainsSubstring("/logs/access.log\" failed (21: Is a directory)"));
}

TEST_CASE("logs are inherited whole or not at all, and off ends them") {
  Server s(R"(
    log_format uri $uri;
    access_log outer.log uri;
    server { listen 127.0.0.1:%%PORT_0%%;
      location / { return 204; }
      location /own { access_log one.log uri; access_log two.log uri; return 204;
        location /own/off { access_log off; return 204; }
        location /own/both { access_log off; access_log one.log uri; return 204; } } })");
  for (const char* target : {"/own", "/own/off", "/own/both", "/own/again", "/"}) ask(s, target);
  CHECK(log_up_to(s, "outer.log", "^/") == "/\n");
  CHECK(s.read("one.log") == "/own\n/own/again\n");
  CHECK(s.read("two.log") == "/own\n/own/again\n");
}

TEST_CASE("if= logs unless the value is empty or 0") {
  Server s(R"(
    log_format uri $request_uri;
    server { listen 127.0.0.1:%%PORT_0%%; access_log a.log uri if=$arg_a$arg_b; location / { return 204; } })");
  for (const char* target : {"/", "/?a=", "/?a=0", "/?a=00", "/?a=0&b=0", "/?b=no", "/?a=0", "/?a=last"}) ask(s, target);
  CHECK(log_up_to(s, "a.log", "last") == "/?a=00\n/?a=0&b=0\n/?b=no\n/?a=last\n");
}

TEST_CASE("what a value could forge a line with is escaped") {
  const std::string uri = "/%22%5c%0a%7f%c3%a4%08%0d%09%0c%1f";
  Server s(R"(
    log_format standard $uri$arg_none|"\n;
    log_format json escape=json "{\"u\":\"$uri$arg_none\"}";
    log_format none escape=none $uri$arg_none|;
    server { listen 127.0.0.1:%%PORT_0%%; access_log standard.log standard; access_log json.log json;
      access_log none.log none; location / { return 204; } })");
  ask(s, uri);
  CHECK(log_up_to(s, "none.log", "\\|") == "/\"\\\n\x7f\xc3\xa4\b\r\t\f\x1f|\n");
  CHECK(s.read("standard.log") == "/\\x22\\x5C\\x0A\\x7F\\xC3\\xA4\\x08\\x0D\\x09\\x0C\\x1F-|\"\n\n");
  CHECK(s.read("json.log") == "{\"u\":\"/\\\"\\\\\\n\x7f\xc3\xa4\\b\\r\\t\\f\\u001F\"}\n");
}

TEST_CASE("a request that never became one is logged, too") {
  Server s(R"(log_format f "$status [$request] $host $uri $request_method"; access_log a.log f;
    server { listen 127.0.0.1:%%PORT_0%%; })");
  RawClient c(s.port());
  c.send("GET\x01 / HTTP/1.1\r\n\r\n");
  c.read_all();
  CHECK(s.wait_for_log("^400 \\[GET\\\\x01 / HTTP/1\\.1\\] .* - -$", "a.log"));
}

TEST_CASE("USR1 opens the log files anew") {
  Server s("log_format f $uri; access_log a.log f; server { listen 127.0.0.1:%%PORT_0%%; location / { return 204; } }");
  ask(s, "/before");
  CHECK(log_up_to(s, "a.log", "/before") == "/before\n");
  std::filesystem::rename(s.folder() + "/a.log", s.folder() + "/a.log.1");
  s.signal(SIGUSR1);
  REQUIRE(s.wait_for_log("reopening logs(.|\n)*reopening logs"));  // the supervisor says so, and the worker's one loop
  ask(s, "/after");
  CHECK(log_up_to(s, "a.log", "/after") == "/after\n");
}

TEST_CASE("a log that cannot be written does not stop the server") {
  if (!std::filesystem::exists("/dev/full")) return;
  Server s("access_log /dev/full; server { listen 127.0.0.1:%%PORT_0%%; location / { return 200 hello; } }");
  s.allow("\\[alert\\] .*: write\\(\\) to \"/dev/full\" failed \\(28: No space left on device\\)$");
  for (int i = 0; i < 3; ++i) {
    RawClient c(s.port());
    c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(c.read_response().body == "hello");
  }
  CHECK(s.wait_for_log("write\\(\\) to \"/dev/full\" failed"));
}

TEST_CASE("access_log and log_format are refused in nginx's words") {
  CHECK_THAT(refusal("access_log a.log nosuch;"), ContainsSubstring("unknown log format \"nosuch\" in "));
  CHECK_THAT(refusal("access_log off x;"), ContainsSubstring("invalid parameter \"x\" in "));
  CHECK_THAT(refusal("access_log a.log combined x;"), ContainsSubstring("invalid parameter \"x\" in "));
  CHECK_THAT(refusal("access_log nosuch/a.log;"), ContainsSubstring("nosuch/a.log\" failed (2: No such file or directory)"));
  CHECK_THAT(refusal("log_format a b; log_format a c;"), ContainsSubstring("duplicate \"log_format\" name \"a\" in "));
  CHECK_THAT(refusal("log_format combined b;"), ContainsSubstring("duplicate \"log_format\" name \"combined\" in "));
  CHECK_THAT(refusal("log_format a escape=xml b;"), ContainsSubstring("unknown log format escaping \"xml\" in "));
  CHECK_THAT(refusal("log_format a x$;"), ContainsSubstring("invalid parameter \"$\" in "));
  CHECK_THAT(refusal("log_format a ${uri;"), ContainsSubstring("the closing bracket in \"uri\" variable is missing in "));
  CHECK_THAT(refusal("log_format a $nosuch; access_log a.log a;"), ContainsSubstring("unknown \"nosuch\" variable"));
}
