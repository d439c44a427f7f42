// The rate of requests (limit_req). Rates of a few requests a minute make the machine's speed mean nothing.
#include <signal.h>

#include <thread>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/server.h"
#include "e2e/timing.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

const std::string kZone = "limit_req_zone $arg_key zone=one:1m rate=1r/m; ";

std::string server(std::string_view inside) {
  return std::string("server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%/html; ").append(inside).append(" }");
}

const Files kFiles{{"html/a", "text"}, {"html/in/a", "text"}};

int status(const Server& s, const std::string& path) { return get(s.url(path)).status; }

// How many of a few requests pass.
int passed(const Server& s, const std::string& path, int of = 6) {
  int count = 0;
  for (int i = 0; i < of; ++i) count += status(s, path) == 200;
  return count;
}

std::string in_http(std::string_view main, std::string_view http) {
  return std::string(main).append("\nevents {}\nhttp { ").append(http).append(" }");
}

}  // namespace

TEST_CASE("requests above the rate are refused, each key for itself, and none without a key") {
  Server s(kZone + server("limit_req zone=one burst=2 nodelay; add_header X-Limit $limit_req_status always;"), kFiles);
  CHECK(get(s.url("/a?key=1")).header("X-Limit") == "PASSED");
  CHECK(passed(s, "/a?key=1") == 2);
  CHECK(get(s.url("/a?key=1")).header("X-Limit") == "REJECTED");
  CHECK(passed(s, "/a?key=2") == 3);
  CHECK(passed(s, "/a") == 6);
  CHECK(get(s.url("/a")).header("X-Limit").empty());
  CHECK(s.wait_for_log("\\[error\\].*: \\*[0-9]+ limiting requests, excess: (3\\.000|2\\.9[0-9][0-9]) by zone \"one\", client: 127.0.0.1"));
}

TEST_CASE("the status and the level of refusals are the operator's") {
  Server s(kZone + server("limit_req zone=one; limit_req_status 429; limit_req_log_level info; "
                          "location /in { limit_req_status 444; } location /page { error_page 429 /a; }"), kFiles);
  CHECK(status(s, "/a?key=1") == 200);
  CHECK(status(s, "/a?key=1") == 429);
  CHECK(s.wait_for_log("\\[info\\].*limiting requests"));
  CHECK(status(s, "/page?key=1") == 429);  // its page is limited by the same answer, once
}

TEST_CASE("a request waits for its turn, and handler_timeout does not count that") {
  Server s("limit_req_zone $arg_key zone=one:1m rate=4r/s; " +
               server("limit_req zone=one burst=3; handler_timeout 100ms; add_header X-Limit $limit_req_status;"), kFiles);
  REQUIRE(status(s, "/a?key=1") == 200);
  const auto begin = Clock::now();
  const Response second = get(s.url("/a?key=1"));
  CHECK(second.status == 200);
  CHECK(second.header("X-Limit") == "DELAYED");
  CHECK(Clock::now() - begin >= std::chrono::milliseconds(100));
  CHECK(s.wait_for_log("\\[warn\\].*delaying request, excess: [01]\\.[0-9]+, by zone \"one\""));
}

TEST_CASE("those below delay= pass at once, those above wait") {
  Server s(kZone + server("limit_req zone=one burst=5 delay=2; access_log %%DIR%%/access.log;"), kFiles);
  CHECK(passed(s, "/a?key=1", 3) == 3);
  RawClient waiting(s.port());
  waiting.send("GET /a?key=1 HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(s.wait_for_log("delaying request, excess: (3\\.000|2\\.9[0-9][0-9]), by zone \"one\""));
  CHECK_FALSE(waiting.expect_close(std::chrono::milliseconds(100)));
}

TEST_CASE("a client that leaves ends its wait") {
  Server s(kZone + server("limit_req zone=one burst=5; access_log %%DIR%%/access.log;"), kFiles);
  REQUIRE(status(s, "/a?key=1") == 200);
  {
    RawClient waiting(s.port());
    waiting.send("GET /a?key=1 HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(s.wait_for_log("delaying request"));
  }
  CHECK(s.wait_for_log("client closed connection while the request was being processed"));
  CHECK(s.wait_for_log(" 499 ", "access.log"));
}

TEST_CASE("a stop does not wait for those that wait") {
  Server s(kZone + server("limit_req zone=one burst=5;"), kFiles);
  REQUIRE(status(s, "/a?key=1") == 200);
  RawClient waiting(s.port());
  waiting.send("GET /a?key=1 HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(s.wait_for_log("delaying request"));
}

TEST_CASE("of several limits each must let a request pass, and a refused one is counted in none") {
  Server s("limit_req_zone $arg_a zone=a:1m rate=1r/m; limit_req_zone $arg_b zone=b:1m rate=1r/m; " +
               server("limit_req zone=a burst=3 nodelay; limit_req zone=b burst=1 nodelay;"), kFiles);
  CHECK(passed(s, "/a?a=1&b=1") == 2);
  CHECK(passed(s, "/a?a=1&b=2") == 2);
  CHECK(passed(s, "/a?a=1&b=3") == 0);
  CHECK(passed(s, "/a?b=3") == 2);
  CHECK(s.wait_for_log("by zone \"a\""));
  CHECK(s.wait_for_log("by zone \"b\""));
}

TEST_CASE("a location's own limits stand for the outer ones") {
  Server s(kZone + "limit_req_zone $arg_key zone=two:1m rate=1r/m; limit_req zone=one; " +
               server("location /in { limit_req zone=two burst=2 nodelay; }"), kFiles);
  CHECK(passed(s, "/a?key=1") == 1);
  CHECK(passed(s, "/in/a?key=1") == 3);
}

TEST_CASE("a dry run counts and says what would be") {
  Server s(kZone + server("limit_req zone=one burst=1; limit_req_dry_run on; add_header X-Limit $limit_req_status;"), kFiles);
  CHECK(get(s.url("/a?key=1")).header("X-Limit") == "PASSED");
  CHECK(get(s.url("/a?key=1")).header("X-Limit") == "DELAYED_DRY_RUN");
  CHECK(get(s.url("/a?key=1")).header("X-Limit") == "REJECTED_DRY_RUN");
  CHECK(s.wait_for_log("delaying request, dry run, excess: "));
  CHECK(s.wait_for_log("limiting requests, dry run, excess: "));
}

TEST_CASE("all loops have one zone") {
  Server s(in_http("worker_processes 3;", kZone + "server { listen 127.0.0.1:%%PORT_0%% reuseport; root %%DIR%%/html; "
                                                  "limit_req zone=one burst=9 nodelay; }"), kFiles);
  CHECK(passed(s, "/a?key=1", 40) == 10);
}

TEST_CASE("a zone outlives reloads and crashes, and another size is another zone, another key is refused") {
  const std::string limits = server("limit_req zone=one;");
  Server s(kZone + limits, kFiles);
  s.allow("limit_req \"one\" uses|exited on signal 9|is taken back");
  CHECK(status(s, "/a?key=1&other=1") == 200);
  REQUIRE(s.reload());
  CHECK(status(s, "/a?key=1") == 503);
  const pid_t worker = serving_process(s);
  REQUIRE(::kill(worker, SIGKILL) == 0);
  REQUIRE(s.wait_for_log("worker process " + std::to_string(worker) + " exited on signal 9"));
  REQUIRE(wait_until([&] { return serving_process(s) > 0 && serving_process(s) != worker; }));
  CHECK(status(s, "/a?key=1") == 503);
  CHECK_FALSE(s.reload("limit_req_zone $arg_other zone=one:1m rate=1r/m; " + limits));
  CHECK_THAT(s.error_log(), ContainsSubstring("limit_req \"one\" uses the \"$arg_other\" key while previously it used the \"$arg_key\" key"));
  CHECK(status(s, "/a?key=1") == 503);
  REQUIRE(s.reload("limit_req_zone $arg_key zone=one:2m rate=1r/m; " + limits));
  CHECK(status(s, "/a?key=1") == 200);
}

TEST_CASE("a refused reload leaves no other key in an empty zone") {
  const std::string limits = server("limit_req zone=one;");
  Server s(kZone + limits, kFiles);
  CHECK_FALSE(s.reload("limit_req_zone $arg_other zone=one:1m rate=1r/m; no_such_directive; " + limits));
  CHECK_FALSE(s.reload("limit_req_zone $arg_other zone=one:1m rate=1r/m; " + server("limit_req zone=one; listen 127.0.0.1:%%PORT_0%%;")));
  CHECK(status(s, "/a?key=1&other=1") == 200);
  REQUIRE(s.reload(kZone + limits));
  CHECK(status(s, "/a?key=1&other=2") == 503);
}

TEST_CASE("a zone that is full forgets the oldest keys") {
  Server s("limit_req_zone $arg_key zone=one:32k rate=1r/m; " + server("limit_req zone=one;"), kFiles);
  Curl client;
  const auto ask = [&](int key) {
    Request request;
    request.url = s.url("/a?key=" + std::to_string(key));
    return client.fetch(request).status;
  };
  for (int key = 0; key < 1000; ++key) REQUIRE(ask(key) == 200);
  CHECK(ask(999) == 503);
  CHECK(ask(0) == 200);
}

TEST_CASE("keys of more than 65535 bytes are not limited") {
  Server s("large_client_header_buffers 4 80k; limit_req_zone $http_x zone=one:1m rate=1r/m; " + server("limit_req zone=one;"), kFiles);
  for (int i = 0; i < 2; ++i) CHECK(get(s.url("/a"), {"X: " + std::string(66'000, 'x')}).status == 200);
  CHECK(s.wait_for_log("the value of the \"\\$http_x\" key is more than 65535 bytes: \"xxx"));
}

TEST_CASE("the variable is known where no limit is written") {
  Server s("log_format with $limit_req_status; " + server("access_log %%DIR%%/access.log with;"), kFiles);
  CHECK(status(s, "/a") == 200);
  CHECK(s.wait_for_log("^-$", "access.log"));
}

TEST_CASE("mistakes in limit_req have nginx's words") {
  const auto wrong = [](const std::string& text) {
    const Run run = check_config(text);
    CHECK(run.exit_code == 1);
    return run.err;
  };
  CHECK_THAT(wrong("limit_req_zone $uri zone=one:10m rate=0r/s;"), ContainsSubstring("invalid rate \"rate=0r/s\" in "));
  CHECK_THAT(wrong("limit_req_zone $uri zone=one rate=1r/s;"), ContainsSubstring("invalid zone size \"zone=one\" in "));
  CHECK_THAT(wrong("limit_req_zone $uri zone=one:8k rate=1r/s;"), ContainsSubstring("zone \"zone=one:8k\" is too small in "));
  CHECK_THAT(wrong("limit_req_zone $uri rate=1r/s rate=1r/s;"), ContainsSubstring("\"limit_req_zone\" must have \"zone\" parameter in "));
  CHECK_THAT(wrong("limit_req_zone $uri zone=one:1m rat=1;"), ContainsSubstring("invalid parameter \"rat=1\" in "));
  CHECK_THAT(wrong("limit_req zone=none;"), ContainsSubstring("zero size shared memory zone \"none\""));
  CHECK_THAT(wrong("limit_req burst=1;"), ContainsSubstring("\"limit_req\" must have \"zone\" parameter in "));
  CHECK_THAT(wrong("limit_req zone=a burst=x;"), ContainsSubstring("invalid burst value \"burst=x\" in "));
  CHECK_THAT(wrong("limit_req zone=a delay=0;"), ContainsSubstring("invalid delay value \"delay=0\" in "));
  CHECK_THAT(wrong(kZone + "limit_req zone=one; limit_req zone=one burst=1;"), ContainsSubstring("\"limit_req\" directive is duplicate in "));
  CHECK_THAT(wrong(kZone + "limit_req_zone $uri zone=one:1m rate=1r/s;"),
             ContainsSubstring("limit_req_zone \"one\" is already bound to key \"$arg_key\" in "));
  CHECK_THAT(wrong(kZone + "limit_req_zone $uri zone=one:2m rate=1r/s;"),
             ContainsSubstring("the size 2097152 of shared memory zone \"one\" conflicts with already declared size 1048576 in "));
  CHECK_THAT(wrong(kZone + "limit_conn one 1;"), ContainsSubstring("the shared memory zone \"one\" is already declared for a different use in "));
  CHECK_THAT(wrong("limit_req_status 399;"), ContainsSubstring("value must be between 400 and 599 in "));
  CHECK_THAT(wrong("limit_req_log_level debug;"), ContainsSubstring("invalid value \"debug\""));
}
