// The state of the server as JSON, as a feed, and as a page in a browser.
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "catch.h"
#include "e2e/chromium.h"
#include "e2e/curl.h"
#include "e2e/probe.h"
#include "e2e/server.h"
#include "e2e/timing.h"
#include "e2e/tls_ask.h"
#include "e2e/upstream.h"

using namespace test;
using nlohmann::json;

namespace {

const std::string kServer = with_probe(
    "server { listen 127.0.0.1:%%PORT_0%%; server_name a.test; location = /status { status; } location /ok { return 200 ok; } "
    "location /slow { probe_wait 30s; } location /wait { probe_wait 200ms; } location /html { root %%DIR%%; } }");

json status(const Server& s) {
  const Response response = get(s.url("/status"));
  CHECK(response.status == 200);
  CHECK(response.header("Content-Type") == "application/json");
  CHECK(response.header("Cache-Control") == "no-store");
  return json::parse(response.body);
}

json route(const json& report, const std::string& location) {
  for (const json& r : report["routes"])
    if (r["location"] == location) return r;
  FAIL("no route " + location);
  return {};
}

}  // namespace

TEST_CASE("status: JSON that says what the server does") {
  Server s(kServer);
  for (int i = 0; i < 3; ++i) CHECK(get(s.url("/ok")).status == 200);
  CHECK(get(s.url("/none")).status == 404);
  RawClient slow(s.port());
  slow.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(wait_until([&] { return status(s)["connections"]["states"]["handler"] == 2; }));
  const json report = status(s);
  CHECK(report["version"] == 1);
  CHECK(report["connections"]["open"] == 2);
  CHECK(report["requests"]["total"].get<int>() >= 7);
  CHECK(route(report, "/ok")["requests"]["2xx"] == 3);
  CHECK(route(report, "")["requests"]["4xx"] == 1);
  CHECK(route(report, "/ok")["phases"]["handler"]["count"] == 3);
  CHECK(route(report, "/ok")["phases"]["handler"]["buckets"].size() == report["bounds"].size() + 1);
  CHECK(report["process"]["generations"] == 1);
  CHECK(report["configuration"]["hash"].get<std::string>().size() == 64);
  CHECK(report["talkers"][0]["address"] == "127.0.0.1");
}

TEST_CASE("status: servers of upstreams, and what they did") {
  Upstream up([](RawClient& c) {
    c.read_until("\r\n\r\n");
    c.send("HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n");
  });
  const std::string name = "127.0.0.1:" + std::to_string(up.port());
  Server s("upstream u { server " + name + "; server 127.0.0.1:1 down; } server { listen 127.0.0.1:%%PORT_0%%; location = /status { status; } "
           "location / { proxy_pass http://u; } }");
  CHECK(get(s.url("/")).status == 500);
  const json report = status(s);
  CHECK(report["lua"].is_null());
  CHECK(report["caches"].empty());
  REQUIRE(report["upstreams"].size() == 2);
  for (const json& server : report["upstreams"]) {
    CHECK(server["upstream"] == "u");
    if (server["server"] != name) {
      CHECK(server["up"] == 0);
      continue;
    }
    CHECK(server["up"] == 1);
    CHECK(server["requests"]["5xx"] == 1);
    CHECK(server["answers"] == 1);
  }
}

TEST_CASE("status: a delay in the handler shows in that phase and no other") {
  Server s(kServer);
  const Clock::duration busy = time_without_processor();
  CHECK(get(s.url("/wait")).status == 404);
  const json phases = route(status(s), "/wait")["phases"];
  CHECK(phases["handler"]["seconds"] >= .2);
  if (kStrictTimes) {
    // And what the machine had no processor for meanwhile.
    const double slack = .03 + std::chrono::duration<double>(time_without_processor() - busy).count();
    CHECK(phases["handler"]["seconds"] <= .2 + slack);
    CHECK(phases["header"]["seconds"] <= slack);
    CHECK(phases["send"]["seconds"] <= slack);
  }
  CHECK(!phases.contains("body"));
}

TEST_CASE("status: a browser gets the page, with a strict policy, and JSON when it asks for it") {
  Server s(kServer);
  const std::vector<std::string> browser{"Accept: text/html,application/xhtml+xml"};
  const Response page = get(s.url("/status"), browser);
  CHECK(page.header("Content-Type") == "text/html; charset=utf-8");
  CHECK(page.header("Content-Security-Policy").find("default-src 'none'; script-src 'self';") == 0);
  CHECK(get(s.url("/status?page.css"), browser).header("Content-Type") == "text/css; charset=utf-8");
  CHECK(get(s.url("/status?page.js"), browser).header("Content-Type") == "text/javascript; charset=utf-8");
  CHECK(json::parse(get(s.url("/status?json"), browser).body)["version"] == 1);
  Request request;
  request.url = s.url("/status");
  request.method = "POST";
  CHECK(fetch(request).status == 405);
}

TEST_CASE("status: the feed goes on until a reload, and the page comes back to the next generation") {
  Server s(kServer);
  RawClient client(s.port());
  client.send("GET /status?events HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(client.read_until("\r\n\r\n").find("Content-Type: text/event-stream") != std::string::npos);
  for (int i = 0; i < 2; ++i) {
    const std::string event = client.read_until("\n\n");
    const auto data = event.find("data: ");
    REQUIRE(data != std::string::npos);
    CHECK(json::parse(event.substr(data + 6))["version"] == 1);
  }
  REQUIRE(s.reload());
  client.read_all();  // it ends by itself
  CHECK(status(s)["process"]["generations"].get<int>() >= 1);
}

TEST_CASE("status: lines of the error log are events") {
  Server s(kServer);
  CHECK(get(s.url("/html/none")).status == 404);
  const json events = status(s)["events"];
  REQUIRE(!events.empty());
  CHECK(events.back().get<std::string>().find("/html/none\" failed (2: No such file or directory)") != std::string::npos);
}

TEST_CASE("status: the page in Chromium shows the numbers of the JSON, moves under load, and the console stays empty") {
  const auto browser = Chromium::start();
  if (!browser) return;
  Server s(kServer);
  browser->resize(1280, 1000, false);
  browser->open(s.url("/status"));
  REQUIRE(browser->becomes_true("document.querySelector('#figures dd') && document.getElementById('state').textContent == 'live'"));
  const std::string figure = "document.querySelector('[data-figure=\"Requests\"]').textContent.replaceAll(',', '')";
  const int before = std::stoi(browser->evaluate(figure));
  Curl client;
  for (int i = 0; i < 200; ++i) {
    Request request;
    request.url = s.url("/ok");
    CHECK(client.fetch(request).status == 200);
  }
  CHECK(browser->becomes_true(figure + " >= " + std::to_string(before + 200)));
  CHECK(browser->becomes_true("[...document.querySelectorAll('#route-table tbody tr')].some(row => row.cells[1].textContent == '/ok' && row.cells[3].textContent == '200')"));
  CHECK(browser->becomes_true("document.querySelector('#rate-chart path').getAttribute('d').split('L').length > 2"));
  // The report says more by now: of the same moment are the page's figures and the report that it shows.
  CHECK(browser->evaluate(figure + " == history.at(-1).report.requests.total") == "true");
  CHECK(browser->evaluate("document.querySelector('#figures [data-figure=\"Open connections\"]').textContent == history.at(-1).report.connections.open") == "true");
  browser->evaluate("document.getElementById('pause').focus(); document.activeElement.click()");
  CHECK(browser->evaluate("document.getElementById('state').textContent") == "paused");
  browser->evaluate("document.getElementById('pause').click()");
  // A telephone: nothing is wider than the screen.
  browser->resize(360, 700, true);
  CHECK(browser->becomes_true("document.documentElement.scrollWidth <= 360"));
  CHECK(browser->evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(247, 247, 245)");
  for (const std::string& complaint : browser->complaints()) FAIL_CHECK(complaint);
  if (const char* to = std::getenv("SEAWALL_SCREENSHOT")) {
    browser->resize(1280, 900, false);
    CHECK(browser->becomes_true("history.length > 5"));
    write_file(to, browser->screenshot());
  }
}
