// The error log: which lines go where, and what a line about a request looks like.
#include <signal.h>

#include <filesystem>

#include "catch.h"
#include "e2e/datagrams.h"
#include "e2e/raw_client.h"
#include "e2e/server.h"
#include "e2e/times_in.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::Matches;

namespace {

void ask(const Server& s, const std::string& target, const std::string& fields = {}) {
  RawClient c(s.port());
  c.send("GET " + target + " HTTP/1.1\r\nHost: a.test\r\n" + fields + "Connection: close\r\n\r\n");
  c.read_all();
}

// Every request for a file that is not there is one [error] line.
std::string failing(const std::string& directives) {
  return "access_log off; root %%DIR%%/html; server { listen 127.0.0.1:%%PORT_0%%; server_name first.test; " + directives + " }";
}

}  // namespace

TEST_CASE("a line about a request says whose it was, as nginx does") {
  Server s(failing(""));
  ask(s, "/x?y", "Referer: http://r.test/\r\n");
  CHECK(s.wait_for_log("^[0-9]{4}/[0-9]{2}/[0-9]{2} [0-9:]{8} \\[error\\] [0-9]+#[0-9]+: \\*1 open\\(\\) \"" + s.folder() +
                       "/html/x\" failed \\(2: No such file or directory\\), client: 127\\.0\\.0\\.1, server: first\\.test, "
                       "request: \"GET /x\\?y HTTP/1\\.1\", host: \"a\\.test\", referrer: \"http://r\\.test/\"$"));
}

TEST_CASE("nothing a client sends begins a line of the error log") {
  Server s(failing(""));
  ask(s, "/x%0a2026/01/01%20forged");
  ask(s, "/y%0d%0aforged%1b[31m");
  CHECK(s.wait_for_log("html/y\\\\x0D\\\\x0Aforged\\\\x1B\\[31m\" failed"));
  CHECK_THAT(s.error_log(), !ContainsSubstring("\nforged") && !ContainsSubstring("\x1b") && !ContainsSubstring("\r"));
}

TEST_CASE("error_log: several of a block, each from its level on, and a block's own replace the outer ones") {
  Server s(failing(R"(
    error_log server.log;
    location /both { error_log a.log; error_log b.log warn; error_log c.log crit; }
    location /debug { error_log d.log debug_http debug_core; })"));
  for (const char* target : {"/both", "/debug", "/outer"}) ask(s, target);
  CHECK(s.wait_for_log("html/outer\" failed", "server.log"));
  for (const char* file : {"a.log", "b.log"}) CHECK(times_in(s.read(file), "html/both\" failed") == 1);
  CHECK(s.read("c.log").empty());
  CHECK(times_in(s.read("d.log"), "html/debug\" failed") == 1);
  CHECK(times_in(s.read("server.log"), "\n") == 1);
  CHECK_THAT(s.error_log(), !ContainsSubstring("[error]"));
}

TEST_CASE("one file named twice gets a line twice") {
  Server s(failing("error_log a.log; error_log a.log info;"));
  ask(s, "/x");
  CHECK(s.wait_for_log("html/x\" failed", "a.log"));
  CHECK(times_in(s.read("a.log"), "html/x\" failed") == 2);
}

TEST_CASE("error_log stderr is standard error, whatever -e says") {
  Server s(failing("location / { error_log stderr; }"));
  ask(s, "/x");
  CHECK(s.wait_for_log("html/x\" failed", "stderr"));
}

TEST_CASE("an error log goes to syslog with the severity of each line") {
  Datagrams receiver;
  Server s(failing("error_log syslog:server=" + receiver.where() + ",nohostname,tag=t,facility=user info;"));
  ask(s, "/x");
  const std::string message = receiver.next();
  INFO(message);
  CHECK_THAT(message, Matches(R"(<11>[A-Z][a-z]{2} [ 1-3]\d [0-9:]{8} t: \d{4}/\d\d/\d\d [0-9:]{8} \[error\] \d+#\d+: \*1 open.*)"));
  CHECK(message.back() != '\n');
  RawClient(s.port()).send("BAD\r\n\r\n");
  CHECK_THAT(receiver.next(), Catch::Matchers::StartsWith("<13>") && ContainsSubstring("[notice]"));  // the first of its class
  RawClient(s.port()).send("BAD\r\n\r\n");
  CHECK_THAT(receiver.next(), Catch::Matchers::StartsWith("<14>") && ContainsSubstring("[info]"));
}

TEST_CASE("where error_log names no file, the file of -e gets errors") {
  Datagrams receiver;
  Server s("error_log syslog:server=" + receiver.where() + " notice;\nevents {}\nhttp { " + failing("") + " }");
  CHECK_THAT(receiver.next(), ContainsSubstring("[notice]"));
  ask(s, "/x");
  CHECK(s.wait_for_log("\\[error\\] .*html/x\" failed"));
  CHECK_THAT(s.error_log(), !ContainsSubstring("start worker process"));
}

TEST_CASE("a syslog server that is not there is an [alert] in the other logs, and not the end") {
  Server s(failing("error_log syslog:server=unix:%%DIR%%/none; error_log a.log;"));
  s.allow("send\\(\\) failed .* while logging to syslog, server: unix:");
  ask(s, "/x");
  ask(s, "/y");
  CHECK(s.wait_for_log("\\[alert\\] .*send\\(\\) failed \\(2: No such file or directory\\) while logging to syslog, server: unix:.*/none"));
  CHECK(s.wait_for_log("html/y\" failed", "a.log"));
}

TEST_CASE("USR1 opens error logs anew, and so does a new configuration") {
  Server s(failing("error_log a.log;"));
  ask(s, "/1");
  CHECK(s.wait_for_log("html/1\" failed", "a.log"));
  std::filesystem::rename(s.folder() + "/a.log", s.folder() + "/a.1");
  s.signal(SIGUSR1);
  REQUIRE(s.wait_for_log("reopening logs(.|\n)*reopening logs"));
  ask(s, "/2");
  CHECK(s.wait_for_log("html/2\" failed", "a.log"));
  std::filesystem::rename(s.folder() + "/a.log", s.folder() + "/a.2");
  REQUIRE(s.reload());
  CHECK(s.wait_for_log("exited with code 0"));
  ask(s, "/3");
  CHECK(s.wait_for_log("html/3\" failed", "a.log"));
  CHECK_THAT(s.read("a.log"), !ContainsSubstring("html/2"));
}

TEST_CASE("error_log is refused in nginx's words") {
  const auto of = [](const std::string& arguments) { return check_config("error_log " + arguments + ";").err; };
  CHECK_THAT(of("a.log infos"), ContainsSubstring("invalid log level \"infos\" in "));
  CHECK_THAT(of("a.log info notice"), ContainsSubstring("duplicate log level \"notice\" in "));
  CHECK_THAT(of("a.log info debug_http"), ContainsSubstring("invalid log level \"debug_http\" in "));
  CHECK_THAT(of("none/a.log"), ContainsSubstring("none/a.log\" failed (2: No such file or directory) in "));
  CHECK_THAT(of("memory:1m"), ContainsSubstring("\"memory:\" logs are not supported in "));
  CHECK_THAT(of("syslog:facility=user"), ContainsSubstring("no syslog server specified in "));
}
