// Where lines of logs go besides plain files: buffers, gzip, paths out of the request, syslog.
#include <signal.h>
#include <zlib.h>

#include <filesystem>

#include "catch.h"
#include "e2e/datagrams.h"
#include "e2e/raw_client.h"
#include "e2e/server.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

namespace {

void ask(const Server& s, const std::string& target, const std::string& host = "a.test") {
  RawClient c(s.port());
  c.send("GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
  c.read_all();
}

// What gunzip makes of a file of several members.
std::string gunzip(const std::string& path) {
  const gzFile file = ::gzopen(path.c_str(), "rb");
  REQUIRE(file != nullptr);
  std::string text(1 << 20, '\0');
  const int n = ::gzread(file, text.data(), unsigned(text.size()));
  ::gzclose(file);
  text.resize(n > 0 ? std::size_t(n) : 0);
  return text;
}

std::string logging(const std::string& directives) {
  return "log_format f $uri; " + directives + " server { listen 127.0.0.1:%%PORT_0%%; location / { return 204; } }";
}

std::string refusal(const std::string& directives) {
  const Run run = check_config(logging(directives));
  CHECK(run.exit_code == 1);
  return run.err;
}

}  // namespace

TEST_CASE("a buffered log is written when the next line has no room") {
  Server s(logging("access_log a.log f buffer=20;"));
  ask(s, "/123456789");   // 11 bytes
  ask(s, "/12345678");    // 10: does not fit
  CHECK(s.wait_for_log("^/123456789$", "a.log"));
  CHECK(s.read("a.log") == "/123456789\n");
  ask(s, "/longer-than-the-buffer");
  CHECK(s.wait_for_log("^/longer-than-the-buffer$", "a.log"));
  CHECK(s.read("a.log") == "/123456789\n/12345678\n/longer-than-the-buffer\n");
}

TEST_CASE("a buffered log is written when the server ends, whichever way") {
  const int signal = GENERATE(SIGQUIT, SIGTERM);
  Server s("worker_processes 2;\nevents {}\nhttp { " + logging("access_log a.log f buffer=64k;") + " }");
  ask(s, "/last");
  CHECK(s.read("a.log").empty());
  s.signal(signal);
  CHECK(s.wait_for_log("^/last$", "a.log"));
}

TEST_CASE("a buffered log is written when flush= has passed") {
  Server s(logging("access_log a.log f buffer=64k flush=20ms;"));
  for (const char* target : {"/1", "/2"}) {
    ask(s, target);
    CHECK(s.wait_for_log("^" + std::string(target) + "$", "a.log"));
  }
}

TEST_CASE("USR1 writes what is held back to the old file") {
  Server s(logging("access_log a.log f buffer=64k;"));
  ask(s, "/old");
  std::filesystem::rename(s.folder() + "/a.log", s.folder() + "/a.log.1");
  s.signal(SIGUSR1);
  REQUIRE(s.wait_for_log("reopening logs(.|\n)*reopening logs"));
  CHECK(s.wait_for_log("^/old$", "a.log.1"));
  ask(s, "/new");
  s.stop();
  CHECK(s.read("a.log.1") == "/old\n");
  CHECK(s.read("a.log") == "/new\n");
}

TEST_CASE("a gzip log is a gzip file") {
  Server s(logging("access_log a.gz f gzip=9 buffer=30;"));
  std::string expected;
  for (int i = 0; i < 20; ++i) {
    ask(s, "/line/" + std::to_string(i));
    expected += "/line/" + std::to_string(i) + "\n";
  }
  s.stop();
  CHECK(gunzip(s.folder() + "/a.gz") == expected);
}

TEST_CASE("a path of a log may come out of the request") {
  Server s(logging("root %%DIR%%; access_log log_$host f; open_log_file_cache max=2 min_uses=2 valid=1h;"));
  for (int i = 0; i < 3; ++i)
    for (const char* host : {"a", "b", "c"}) ask(s, "/" + std::to_string(i), host);
  for (const char* host : {"a", "b", "c"}) {
    CHECK(s.wait_for_log("^/2$", std::string("log_") + host));
    CHECK(s.read(std::string("log_") + host) == "/0\n/1\n/2\n");
  }
}

TEST_CASE("a kept open log is let go by USR1") {
  Server s(logging("root %%DIR%%; access_log log_$host f; open_log_file_cache max=2 valid=1h;"));
  ask(s, "/1", "a");
  CHECK(s.wait_for_log("^/1$", "log_a"));
  std::filesystem::rename(s.folder() + "/log_a", s.folder() + "/log_a.1");
  ask(s, "/2", "a");
  CHECK(s.wait_for_log("^/2$", "log_a.1"));
  s.signal(SIGUSR1);
  CHECK(s.wait_for_log("\\[notice\\] .*reopening logs.*\n(.*\n)*.*\\[notice\\] .*reopening logs"));
  ask(s, "/3", "a");
  CHECK(s.wait_for_log("^/3$", "log_a"));
}

TEST_CASE("a kept open log is looked at again after valid=") {
  Server s(logging("root %%DIR%%; access_log log_$host f; open_log_file_cache max=2 valid=0;"));
  ask(s, "/1", "a");
  CHECK(s.wait_for_log("^/1$", "log_a"));
  std::filesystem::rename(s.folder() + "/log_a", s.folder() + "/log_a.1");
  ask(s, "/2", "a");
  CHECK(s.wait_for_log("^/2$", "log_a"));
  CHECK(s.read("log_a.1") == "/1\n");
}

TEST_CASE("a client cannot lead a log out of its folder") {
  Server s(logging("root %%DIR%%; access_log logs/$arg_name f;"));
  ask(s, "/x?name=../forged");
  CHECK(s.wait_for_log("access log \".*/logs/\\.\\./forged\" is refused"));
  CHECK_FALSE(std::filesystem::exists(s.folder() + "/forged"));
}

TEST_CASE("no log is created for a host without a root") {
  Server s(logging("root %%DIR%%/roots/$host; access_log log_$host f;"), {{"roots/known/x", ""}});
  ask(s, "/", "unknown");
  CHECK(s.wait_for_log("testing \".*/roots/unknown\" existence failed \\(2: No such file or directory\\).* host: \"unknown\""));
  ask(s, "/", "known");
  CHECK(s.wait_for_log("^/$", "log_known"));
  CHECK_FALSE(std::filesystem::exists(s.folder() + "/log_unknown"));
}

TEST_CASE("an access log goes to syslog over UDP") {
  Datagrams receiver;
  Server s(logging("access_log syslog:server=" + receiver.where() + ",facility=local3,severity=debug,tag=Seawall_1 f;"));
  ask(s, "/x");
  const std::string message = receiver.next();
  INFO(message);
  CHECK_THAT(message, Catch::Matchers::Matches("<159>[A-Z][a-z]{2} [ 1-3][0-9] [0-9:]{8} [^ ]+ Seawall_1: /x"));
}

TEST_CASE("an access log goes to syslog over a unix socket, also one that was made anew") {
  const auto folder = make_folder();
  auto receiver = std::make_unique<Datagrams>(folder + "/log");
  Server s(logging("access_log syslog:server=" + receiver->where() + ",nohostname f;"));
  ask(s, "/1");
  CHECK_THAT(receiver->next(), Catch::Matchers::Matches("<190>[A-Z][a-z]{2} [ 1-3][0-9] [0-9:]{8} nginx: /1"));
  receiver.reset();
  ask(s, "/lost");
  CHECK(s.wait_for_log("\\[warn\\] .*send\\(\\) to syslog failed"));
  std::filesystem::remove(folder + "/log");
  receiver = std::make_unique<Datagrams>(folder + "/log");
  ask(s, "/2");
  CHECK_THAT(receiver->next(), ContainsSubstring(" nginx: /2"));
}

TEST_CASE("what cannot be a log is refused in nginx's words") {
  CHECK_THAT(refusal("access_log a.log f buffer=x;"), ContainsSubstring("invalid buffer size \"x\" in "));
  CHECK_THAT(refusal("access_log a.log f buffer=1k flush=0;"), ContainsSubstring("invalid flush time \"0\" in "));
  CHECK_THAT(refusal("access_log a.log f gzip=10;"), ContainsSubstring("invalid compression level \"10\" in "));
  CHECK_THAT(refusal("access_log a.log f flush=1s;"), ContainsSubstring("no buffer is defined for access_log \"a.log\" in "));
  CHECK_THAT(refusal("access_log a$host f gzip;"), ContainsSubstring("buffered logs cannot have variables in name in "));
  CHECK_THAT(refusal("access_log syslog:server=127.0.0.1 f gzip;"), ContainsSubstring("logs to syslog cannot be buffered in "));
  CHECK_THAT(refusal("access_log a.log f buffer=1k; access_log a.log f buffer=2k;"),
             ContainsSubstring("access_log \"a.log\" already defined with conflicting parameters in "));
  CHECK_THAT(refusal("open_log_file_cache inactive=1;"), ContainsSubstring("\"open_log_file_cache\" must have \"max\" parameter in "));
  CHECK_THAT(refusal("open_log_file_cache max=x;"), ContainsSubstring("invalid \"open_log_file_cache\" parameter \"max=x\" in "));
}

TEST_CASE("syslog parameters are refused in nginx's words") {
  const auto of = [](const std::string& parameters) { return refusal("access_log syslog:" + parameters + " f;"); };
  CHECK_THAT(of("tag=x"), ContainsSubstring("no syslog server specified in "));
  CHECK_THAT(of("server=127.0.0.1,server=127.0.0.1"), ContainsSubstring("duplicate syslog \"server\" in "));
  CHECK_THAT(of("server=127.0.0.1,facility=x"), ContainsSubstring("unknown syslog facility \"x\" in "));
  CHECK_THAT(of("server=127.0.0.1,severity=err"), ContainsSubstring("unknown syslog severity \"err\" in "));
  CHECK_THAT(of("server=127.0.0.1,tag=a-b"), ContainsSubstring("syslog \"tag\" only allows alphanumeric characters and underscore in "));
  CHECK_THAT(of("server=127.0.0.1,tag=" + std::string(33, 'a')), ContainsSubstring("syslog tag length exceeds 32 in "));
  CHECK_THAT(of("server=127.0.0.1,x"), ContainsSubstring("unknown syslog parameter \"x\" in "));
  CHECK_THAT(of("server=127.0.0.1:0"), ContainsSubstring("invalid port in syslog server \"127.0.0.1:0\" in "));
  CHECK_THAT(of("server="), ContainsSubstring("no host in syslog server \"\" in "));
  CHECK_THAT(of("server=unix:"), ContainsSubstring("no path in the unix domain socket in syslog server \"unix:\" in "));
}
