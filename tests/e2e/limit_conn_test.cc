// How many requests are served at a time (limit_conn).
#include <signal.h>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/h2_client.h"
#include "e2e/probe.h"
#include "e2e/server.h"
#include "e2e/timing.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

const std::string kZone = "limit_conn_zone $arg_key zone=one:1m; ";

std::string limited(std::string_view inside, std::string_view listen = {}) {
  return with_probe(kZone + "server { listen 127.0.0.1:%%PORT_0%% " + std::string(listen) +
                    "; location / { return 200 ok; } location /slow { "
                    "probe_wait 30s; limit_conn one 9; } location /limited { root %%DIR%%/html; limit_conn one 1; add_header X-Limit "
                    "$limit_conn_status always; } " + std::string(inside) + " }");
}

const Files kFiles{{"html/limited/a", "text"}};

// A request that is being served until its client goes. (Its own limit is so high that a look from another loop, which may
// come first, does not keep it out.)
class Holder {
 public:
  Holder(const Server& s, const std::string& path) : client_(s.port()) {
    client_.send("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
  }

 private:
  RawClient client_;
};

int status(const Server& s, const std::string& path) { return get(s.url(path)).status; }
bool becomes(const Server& s, const std::string& path, int wanted) { return wait_until([&] { return status(s, path) == wanted; }); }

}  // namespace

TEST_CASE("requests of a key are limited while they are served, each key for itself, and none without a key") {
  Server s(limited(""), kFiles);
  {
    Holder holder(s, "/slow?key=1");
    CHECK(becomes(s, "/limited/a?key=1", 503));
    const Response refused = get(s.url("/limited/a?key=1"));
    CHECK(refused.header("X-Limit") == "REJECTED");
    CHECK(get(s.url("/limited/a?key=2")).header("X-Limit") == "PASSED");
    CHECK(get(s.url("/limited/a")).status == 200);
    CHECK(get(s.url("/limited/a")).header("X-Limit").empty());
    CHECK(s.wait_for_log("\\[error\\].*limiting connections by zone \"one\", client: 127.0.0.1"));
  }
  CHECK(becomes(s, "/limited/a?key=1", 200));
}

TEST_CASE("streams of one HTTP/2 connection count each") {
  Server s(limited("http2 on;"), kFiles);
  H2Client client(s.port());
  client.request(1, "/slow?key=1");
  client.request(3, "/limited/a?key=1");
  CHECK(client.read_response(3).status == 503);
  client.reset(1);
  for (std::uint32_t stream = 5;; stream += 2) {
    client.request(stream, "/limited/a?key=1");
    if (client.read_response(stream).status == 200) break;
    REQUIRE(stream < 2000);
  }
}

TEST_CASE("all loops and all generations count together") {
  const std::string conf = "worker_processes 2;" + limited("", "reuseport");
  Server s(conf, kFiles);
  Holder holder(s, "/slow?key=1");
  CHECK(becomes(s, "/limited/a?key=1", 503));
  REQUIRE(s.reload());
  for (int i = 0; i < 10; ++i) CHECK(status(s, "/limited/a?key=1") == 503);
  CHECK(status(s, "/limited/a?key=2") == 200);
}

TEST_CASE("what a worker that died has served does not count") {
  Server s(limited(""), kFiles);
  s.allow("exited on signal 9");
  Holder holder(s, "/slow?key=1"), second(s, "/slow?key=2"), third(s, "/slow?key=3");
  for (const char* key : {"1", "2", "3"}) CHECK(becomes(s, "/limited/a?key=" + std::string(key), 503));
  const pid_t worker = serving_process(s);
  REQUIRE(::kill(worker, SIGKILL) == 0);
  REQUIRE(s.wait_for_log("worker process " + std::to_string(worker) + " exited on signal 9"));
  REQUIRE(wait_until([&] { return serving_process(s) > 0 && serving_process(s) != worker; }));
  for (const char* key : {"1", "2", "3"}) CHECK(status(s, "/limited/a?key=" + std::string(key)) == 200);
}

TEST_CASE("of several limits a refusal gives back what others have granted") {
  Server s(with_probe(kZone + "limit_conn_zone $arg_all zone=all:1m; server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%/html; limit_conn one 1; "
                              "limit_conn all 1; location /slow { probe_wait 30s; } }"), {{"html/a", "text"}});
  Holder holder(s, "/slow?key=1&all=1");
  CHECK(becomes(s, "/a?key=1", 503));
  CHECK(status(s, "/a?key=2&all=1") == 503);
  CHECK(status(s, "/a?key=2") == 200);
  CHECK(s.wait_for_log("limiting connections by zone \"all\""));
}

TEST_CASE("a dry run of limit_conn lets pass, and status and level are the operator's") {
  Server s(limited("location /dry { root %%DIR%%/html; limit_conn one 1; limit_conn_dry_run on; limit_conn_log_level info; add_header X-Limit "
                   "$limit_conn_status; } location /busy { limit_conn one 1; limit_conn_status 429; root %%DIR%%/html; }"),
           {{"html/dry/a", "text"}, {"html/busy/a", "text"}, {"html/limited/a", "text"}});
  Holder holder(s, "/slow?key=1");
  CHECK(becomes(s, "/busy/a?key=1", 429));
  const Response response = get(s.url("/dry/a?key=1"));
  CHECK(response.status == 200);
  CHECK(response.header("X-Limit") == "REJECTED_DRY_RUN");
  CHECK(s.wait_for_log("\\[info\\].*limiting connections, dry run, by zone \"one\""));
}

TEST_CASE("mistakes in limit_conn have nginx's words") {
  const auto wrong = [](const std::string& text) {
    const Run run = check_config(text);
    CHECK(run.exit_code == 1);
    return run.err;
  };
  CHECK_THAT(wrong("limit_conn one 1;"), ContainsSubstring("zero size shared memory zone \"one\""));
  CHECK_THAT(wrong(kZone + "limit_conn one 0;"), ContainsSubstring("invalid number of connections \"0\" in "));
  CHECK_THAT(wrong(kZone + "limit_conn one 65536;"), ContainsSubstring("connection limit must be less 65536 in "));
  CHECK_THAT(wrong(kZone + "limit_conn one 1; limit_conn one 2;"), ContainsSubstring("\"limit_conn\" directive is duplicate in "));
  CHECK_THAT(wrong("limit_conn_zone $uri one:1m;"), ContainsSubstring("invalid parameter \"one:1m\" in "));
  CHECK_THAT(wrong(kZone + "limit_conn_zone $uri zone=one:1m;"),
             ContainsSubstring("limit_conn_zone \"one\" is already bound to key \"$arg_key\" in "));
}
