// The page of counts for Prometheus, what it counts, and the times of a request's phases.
#include <dirent.h>
#include <openssl/ssl.h>

#include <ctime>
#include <map>
#include <sstream>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/h2_client.h"
#include "e2e/probe.h"
#include "e2e/server.h"
#include "e2e/timing.h"
#include "e2e/tls_ask.h"
#include "e2e/upstream.h"

using namespace test;

namespace {

using Metrics = std::map<std::string, double>;

Metrics metrics(const Server& s) {
  const Response response = get(s.url("/metrics"));
  REQUIRE(response.status == 200);
  Metrics all;
  std::istringstream lines(response.body);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    const auto space = line.rfind(' ');
    REQUIRE(space != std::string::npos);
    CHECK(all.emplace(line.substr(0, space), std::stod(line.substr(space + 1))).second);
  }
  return all;
}

// Connections end a moment after their last response.
bool become(const Server& s, const std::string& name, double value) {
  return wait_until([&] {
    const Metrics all = metrics(s);
    const auto found = all.find(name);
    return found != all.end() && found->second == value;
  });
}

std::string connections(const char* state) { return std::string("seawall_connections{state=\"") + state + "\"}"; }

Response post(const std::string& url, const std::string& body) {
  Request request;
  request.url = url;
  request.method = "POST";
  request.body = body;
  return fetch(request);
}

int lines_with(const std::string& text, const std::string& word) {
  std::istringstream lines(text);
  int n = 0;
  for (std::string line; std::getline(lines, line);) n += line.find(word) != std::string::npos;
  return n;
}

const std::string kTls = "listen 127.0.0.1:%%PORT_1%% ssl; ssl_certificate %%DIR%%/a.crt; ssl_certificate_key %%DIR%%/a.key; ";

Files certificate_files() {
  Files files;
  add(files, "a", make_certificate({"localhost"}));
  return files;
}

std::string with_metrics(const std::string& rest) {
  return with_probe("server { listen 127.0.0.1:%%PORT_0%%; server_name a.test; location = /metrics { metrics; } " + rest + " }");
}

}  // namespace

TEST_CASE("metrics: requests by server, location, method and class of status") {
  Server s(with_metrics("location /ok { return 200 12345; } location ~ \\.php$ { return 404; }"));
  for (int i = 0; i < 3; ++i) CHECK(get(s.url("/ok")).status == 200);
  CHECK(get(s.url("/x.php")).status == 404);
  CHECK(post(s.url("/ok"), "abc").status == 200);
  const Metrics all = metrics(s);
  CHECK(all.at("seawall_http_requests_total{vhost=\"a.test\",location=\"/ok\",method=\"GET\",status=\"2xx\"}") == 3);
  CHECK(all.at("seawall_http_requests_total{vhost=\"a.test\",location=\"/ok\",method=\"POST\",status=\"2xx\"}") == 1);
  CHECK(all.at("seawall_http_requests_total{vhost=\"a.test\",location=\"~ \\\\.php$\",method=\"GET\",status=\"4xx\"}") == 1);
  CHECK(all.at("seawall_http_sent_bytes_total{vhost=\"a.test\",location=\"/ok\"}") > 4 * 5);
  CHECK(all.at("seawall_requests_total") == 6);
  CHECK(all.at("seawall_connections_accepted_total") == 6);
  CHECK(all.at("seawall_connections_handled_total") == 6);
  CHECK(all.at("seawall_http_phase_seconds_count{vhost=\"a.test\",location=\"/ok\",phase=\"handler\"}") == 4);
  CHECK(all.at("seawall_http_phase_seconds_bucket{vhost=\"a.test\",location=\"/ok\",phase=\"handler\",le=\"+Inf\"}") == 4);
}

TEST_CASE("metrics: bytes of requests are those of heads and of bodies that were read") {
  Server s(with_metrics("location /read { probe_read on; }"));
  const std::string request = "POST /read HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 7\r\n\r\n1234567";
  RawClient c(s.port());
  c.send(request);
  c.read_all();
  CHECK(become(s, "seawall_http_received_bytes_total{vhost=\"a.test\",location=\"/read\"}", static_cast<double>(request.size())));
}

TEST_CASE("metrics: a reload and a killed worker lose no counts") {
  Server s(with_metrics("location /ok { return 200; }"));
  const char* const ok = "seawall_http_requests_total{vhost=\"a.test\",location=\"/ok\",method=\"GET\",status=\"2xx\"}";
  CHECK(get(s.url("/ok")).status == 200);
  REQUIRE(s.reload());
  CHECK(get(s.url("/ok")).status == 200);
  CHECK(metrics(s).at(ok) == 2);
}

TEST_CASE("metrics: OpenMetrics for who asks for it") {
  Server s(with_metrics(""));
  const Response plain = get(s.url("/metrics"));
  CHECK(plain.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(plain.body.find("# TYPE seawall_requests_total counter\n") != std::string::npos);
  const Response open = get(s.url("/metrics"), {"Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5"});
  CHECK(open.header("Content-Type") == "application/openmetrics-text; version=1.0.0; charset=utf-8");
  CHECK(open.body.find("# TYPE seawall_requests counter\nseawall_requests_total ") != std::string::npos);
  CHECK(open.body.ends_with("# EOF\n"));
  CHECK(post(s.url("/metrics"), "x").status == 405);
}

TEST_CASE("metrics: connections by what they do, all of them") {
  Server s(with_metrics("location /slow { probe_wait 30s; }"));
  CHECK(become(s, connections("send"), 0));
  CHECK(metrics(s).at(connections("handler")) == 1);
  RawClient fresh(s.port()), reading(s.port()), working(s.port()), idle(s.port());
  reading.send("GET /slow HTTP/1.1\r\n");
  working.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  idle.send("GET /none HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(idle.read_response().status == 404);
  CHECK(become(s, connections("new"), 1));
  CHECK(become(s, connections("header"), 1));
  CHECK(become(s, connections("idle"), 1));
  CHECK(become(s, connections("handler"), 2));
  const Metrics all = metrics(s);
  double sum = 0;
  for (const auto& [name, value] : all)
    if (name.starts_with("seawall_connections{")) sum += value;
  CHECK(sum == 5);
}

TEST_CASE("metrics: what goes wrong before a handler is counted by class, and sampled at notice (B37)") {
  Server s(with_metrics(kTls + "error_log %%DIR%%/notice.log notice; client_header_timeout 200ms;"),
           certificate_files());
  const auto ask = [&](std::string_view bytes) {
    RawClient client(s.port());
    client.send(bytes);
    CHECK(client.expect_close(kPatience));
  };
  ask("GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
  ask("GET /a HTTP/1.1\r\nHost: a\r\nBad Name: b\r\n\r\n");
  ask("GET /a HTTP/7.1\r\n\r\n");
  ask("GET /a HTTP/1.1\r\nHo");
  RawClient plain(s.port(1));
  plain.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(plain.read_response().status == 400);
  RawClient old(s.port(1));
  TlsOptions options;
  options.min_version = options.max_version = TLS1_2_VERSION;
  options.ciphers = "AES128-SHA";
  CHECK_THROWS(old.start_tls(options));
  const Metrics all = metrics(s);
  const auto count = [&](const std::string& name) {
    const auto found = all.find("seawall_client_failures_total{vhost=\"a.test\",class=\"" + name + "\"}");
    return found == all.end() ? 0 : found->second;
  };
  CHECK(count("bad_request_syntax") == 2);
  CHECK(count("bad_request_version") == 1);
  CHECK(count("timeout_header") == 1);
  CHECK(count("tls_http_on_https") == 1);
  CHECK(count("tls_no_shared_cipher") == 1);
  CHECK(all.at("seawall_timeouts_total{wait=\"header\"}") == 1);
  // Two of the class: one line.
  CHECK(lines_with(s.read("notice.log"), "client sent invalid request") == 2);
}

TEST_CASE("metrics: handshakes by version, cipher and whether they were resumed") {
  Server s(with_metrics(kTls), certificate_files());
  RawClient first(s.port(1));
  first.start_tls();
  first.send("GET /none HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(first.read_response().status == 404);
  RawClient second(s.port(1));
  TlsOptions options;
  options.session = first.session();
  second.start_tls(options);
  second.send("GET /none HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(second.read_response().status == 404);
  const Metrics all = metrics(s);
  double fresh = 0, resumed = 0;
  for (const auto& [name, value] : all)
    if (name.starts_with("seawall_tls_handshakes_total{version=\"TLSv1.3\""))
      (name.find("resumed=\"true\"") != std::string::npos ? resumed : fresh) += value;
  CHECK(fresh == 1);
  CHECK(resumed == 1);
  CHECK(all.at("seawall_certificate_expiry_seconds{certificate=\"" + s.folder() + "/a.crt\",name=\"localhost\",key=\"id-ecPublicKey\"}") >
        static_cast<double>(::time(nullptr)));
}

TEST_CASE("metrics: what an upstream breaks is no failure of the client's") {
  Upstream up([](RawClient& c) {
    c.read_until("\r\n\r\n");
    c.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it");
  });
  Server s(with_metrics("http2 on; location / { proxy_pass http://127.0.0.1:" + std::to_string(up.port()) + "; }"));
  RawClient h1(s.port());
  h1.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(h1.read_all().ends_with("half of it"));
  H2Client h2(s.port());
  h2.request(1, "/");
  CHECK(h2.read_response(1).reset == NGHTTP2_CANCEL);
  for (const auto& [name, value] : metrics(s)) CHECK(name.find("seawall_client_failures_total") == std::string::npos);
}

TEST_CASE("metrics: a certificate of two servers is told once") {
  Server s(with_metrics(kTls + "} server { server_name b.test; ssl_protocols TLSv1.3; " + kTls), certificate_files());
  int n = 0;
  for (const auto& [name, value] : metrics(s)) n += name.starts_with("seawall_certificate_expiry_seconds");
  CHECK(n == 1);
}

TEST_CASE("metrics: open files are those of /proc (B40), and the configuration has a hash") {
  const double before = static_cast<double>(std::time(nullptr));
  Server s("master_process off; " + with_metrics(""));
  const Metrics all = metrics(s);
  CHECK(all.at("seawall_config_load_time_seconds") >= before);
  CHECK(all.at("seawall_config_load_time_seconds") <= static_cast<double>(std::time(nullptr)) + 1);
  const std::string fds = "/proc/" + std::to_string(s.pid()) + "/fd";
  const auto count = [&] {
    int n = 0;
    DIR* const dir = ::opendir(fds.c_str());
    REQUIRE(dir);
    while (const dirent* entry = ::readdir(dir)) n += entry->d_name[0] != '.';
    ::closedir(dir);
    return n;
  };
  CHECK(wait_until([&] { return metrics(s).at("process_open_fds") == count() + 1; }));  // the connection that asks
  CHECK(all.at("process_max_fds") > 0);
  CHECK(all.at("seawall_generations") == 1);
  CHECK(std::any_of(all.begin(), all.end(), [](const auto& m) { return m.first.starts_with("seawall_config_info{file="); }));
}

TEST_CASE("the phases of a request: what is waited for shows where it belongs") {
  Server s(with_probe("log_format times '$phase_header_time $phase_body_time $phase_handler_time $phase_send_time'; "
                      "server { listen 127.0.0.1:%%PORT_0%%; access_log %%DIR%%/times.log times; server_timing on; "
                      "location /slow { probe_wait 200ms; } location /body { probe_read on; } }"));
  const Clock::duration busy = time_without_processor();
  const Response slow = get(s.url("/slow"));
  CHECK(slow.header("Server-Timing").find("handler;dur=2") != std::string::npos);
  REQUIRE(wait_until([&] { return s.read("times.log").ends_with('\n'); }));
  double header = 0, body = 0, handler = 0, send = 0;
  REQUIRE(std::sscanf(s.read("times.log").c_str(), "%lf %lf %lf %lf", &header, &body, &handler, &send) == 4);
  CHECK(body == 0);
  CHECK(handler >= .2);
  if (kStrictTimes) {
    const double slack = .05 + std::chrono::duration<double>(time_without_processor() - busy).count();
    CHECK(header <= slack);
    CHECK(send <= slack);
  }
}

// The bound of the issue: 200 to 230 ms, and what the machine kept from everybody.
TEST_CASE("a backend that takes 200 ms shows in the handler's time, and in no other") {
  Upstream up([](RawClient& c) {
    c.read_until("\r\n\r\n");
    CHECK_FALSE(c.expect_close(std::chrono::milliseconds(200)));
    c.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  Server s("log_format times '$phase_header_time $phase_body_time $phase_handler_time $phase_send_time'; "
           "server { listen 127.0.0.1:%%PORT_0%%; location = /metrics { metrics; } location / { access_log times.log times; proxy_pass " + up.url() + "; } }");
  const Clock::duration busy = time_without_processor();
  CHECK(get(s.url("/")).body == "ok");
  REQUIRE(wait_until([&] { return s.read("times.log").ends_with('\n'); }));
  double header = 0, body = 0, handler = 0, send = 0;
  REQUIRE(std::sscanf(s.read("times.log").c_str(), "%lf %lf %lf %lf", &header, &body, &handler, &send) == 4);
  CHECK(handler >= .2);
  CHECK(body == 0);
  const double kept = std::chrono::duration<double>(time_without_processor() - busy).count();
  const Metrics all = metrics(s);
  const auto sum_of = [&](const std::string& name, const std::string& labels) { return all.at(name + "_sum{" + labels + "}"); };
  const auto phase = [&](const char* name) {
    return sum_of("seawall_http_phase_seconds", "vhost=\"_\",location=\"/\",phase=\"" + std::string(name) + "\"");
  };
  CHECK(phase("handler") >= .2);
  CHECK(sum_of("seawall_upstream_header_seconds", "upstream=\"127.0.0.1\",server=\"127.0.0.1:" + std::to_string(up.port()) + "\"") >= .2);
  if (!kStrictTimes) return;
  CHECK(handler <= .23 + kept);
  CHECK(phase("handler") <= .23 + kept);
  for (const double other : {header, send, phase("header"), phase("send")}) CHECK(other <= .03 + kept);
}

TEST_CASE("metrics: tries of upstream servers by result, retries, and who is well") {
  Upstream good([](RawClient& c) {
    c.read_until("\r\n\r\n");
    c.send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  });
  Upstream bad([](RawClient& c) { c.read_until("\r\n\r\n"); });
  const std::string good_name = "127.0.0.1:" + std::to_string(good.port()), bad_name = "127.0.0.1:" + std::to_string(bad.port());
  Server s("upstream u { server " + bad_name + " fail_timeout=1h; server " + good_name + "; server 127.0.0.1:1 down; } "
           "server { listen 127.0.0.1:%%PORT_0%%; location = /metrics { metrics; } location / { proxy_pass http://u; } "
           "location /made/ { proxy_pass http://127.0.0.1:$arg_port/; } }");
  for (int i = 0; i < 3; ++i) CHECK(get(s.url("/")).status == 404);
  for (int i = 0; i < 2; ++i) CHECK(get(s.url("/made/?port=" + std::to_string(good.port()))).status == 404);
  const Metrics all = metrics(s);
  const auto labels = [](const std::string& server) { return "upstream=\"u\",server=\"" + server + "\""; };
  CHECK(all.at("seawall_upstream_requests_total{" + labels(bad_name) + ",result=\"failed\"}") == 1);
  CHECK(all.at("seawall_upstream_requests_total{" + labels(good_name) + ",result=\"4xx\"}") == 3);
  CHECK(all.at("seawall_upstream_retries_total{" + labels(good_name) + "}") == 1);
  CHECK(all.at("seawall_upstream_header_seconds_count{" + labels(good_name) + "}") == 3);
  CHECK(all.at("seawall_upstream_up{" + labels(bad_name) + "}") == 0);
  CHECK(all.at("seawall_upstream_up{" + labels(good_name) + "}") == 1);
  CHECK(all.at("seawall_upstream_up{" + labels("127.0.0.1:1") + "}") == 0);
  // What clients have made up has no name.
  CHECK(all.at("seawall_upstream_requests_total{upstream=\"\",server=\"\",result=\"4xx\"}") == 2);
}

TEST_CASE("metrics: what caches had") {
  Upstream up([](RawClient& c) {
    c.read_until("\r\n\r\n");
    c.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nCache-Control: max-age=1000\r\n\r\nok");
  });
  Server s("proxy_cache_path %%DIR%%/cache keys_zone=one:1m; server { listen 127.0.0.1:%%PORT_0%%; location = /metrics { metrics; } "
           "location / { proxy_pass " + up.url() + "; proxy_cache one; proxy_cache_bypass $arg_past; } }");
  CHECK(get(s.url("/a")).status == 200);
  CHECK(wait_until([&] { return get(s.url("/a")).status == 200 && metrics(s).contains("seawall_cache_requests_total{status=\"HIT\"}"); }));
  CHECK(get(s.url("/a?past=1")).status == 200);
  const Metrics all = metrics(s);
  CHECK(all.at("seawall_cache_requests_total{status=\"MISS\"}") >= 1);
  CHECK(all.at("seawall_cache_requests_total{status=\"BYPASS\"}") == 1);
}

TEST_CASE("a handler ends without an answer, and without noise: the connection or the stream goes, and is counted (B39)") {
  Server s("log_format end '$uri $status'; access_log %%DIR%%/ends.log end; "
           "server { listen 127.0.0.1:%%PORT_0%%; http2 on; location = /metrics { access_log off; metrics; } location /back { return 200 ok; } "
           "location /return { return 444; } location /script { content_by_lua_block { ngx.exit(444) } } "
           "location /access { access_by_lua_block { ngx.exit(444) } content_by_lua_block { ngx.say('no') } } }");
  const std::vector<std::string> paths = {"/return", "/script", "/access"};
  for (const std::string& path : paths) {
    RawClient client(s.port());
    client.send("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(client.read_all().empty());
  }
  H2Client h2(s.port());
  std::uint32_t stream = 1;
  for (const std::string& path : paths) {
    h2.request(stream, path);
    CHECK(h2.read_response(stream).reset >= 0);
    stream += 2;
  }
  h2.request(stream, "/back");
  CHECK(h2.read_response(stream).body == "ok");
  CHECK(become(s, "seawall_aborts_total", 6));
  for (const std::string& path : paths) CHECK(wait_until([&] { return lines_with(s.read("ends.log"), path + " 444") == 2; }));
  CHECK(lines_with(s.error_log(), "/return") + lines_with(s.error_log(), "/script") + lines_with(s.error_log(), "/access") == 0);
  CHECK(lines_with(s.error_log(), "[error]") == 0);
}

TEST_CASE("metrics: scripts' errors, and their time from the first question on") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; location = /metrics { metrics; } "
           "location /good { content_by_lua_block { ngx.sleep(0) ngx.say('x') } } location /bad { content_by_lua_block { error('x') } } "
           "location /set { set_by_lua_block $x { error('y') } return 200; } }");
  CHECK(get(s.url("/good")).status == 200);
  CHECK(get(s.url("/bad")).status == 500);
  get(s.url("/set"));
  const Metrics all = metrics(s);
  CHECK(all.at("seawall_lua_errors_total") == 2);
  CHECK(all.at("seawall_lua_runs_total") >= 3);
  CHECK(all.at("seawall_lua_seconds_total") == 0);
  CHECK(get(s.url("/good")).status == 200);
  CHECK(metrics(s).at("seawall_lua_seconds_total") > 0);
}

TEST_CASE("metrics is one location's, and its mistakes are named") {
  Server s(with_probe("server { listen 127.0.0.1:%%PORT_0%%; location /m/ { metrics; location /m/in { return 200 inner; } } }"));
  CHECK(get(s.url("/m/")).body.find("seawall_requests_total") != std::string::npos);
  CHECK(get(s.url("/m/in")).body == "inner");
  CHECK(check_config("server { location / { metrics; metrics; } }").err.find("\"metrics\" directive is duplicate in ") != std::string::npos);
}

TEST_CASE("metrics: Prometheus' own checker has nothing to say") {
  if (std::system("command -v promtool >/dev/null 2>&1") != 0) {
    WARN("no promtool: skipped");
    return;
  }
  Upstream up([](RawClient& c) {
    c.read_until("\r\n\r\n");
    c.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  Server s(with_metrics(kTls + "location /ok { return 200; } location /up { proxy_pass " + up.url() + "; } "
                        "location /lua { content_by_lua_block { ngx.say('x') } }"), certificate_files());
  for (const char* path : {"/ok", "/up", "/lua"}) CHECK(get(s.url(path)).status == 200);
  s.file("metrics.txt", get(s.url("/metrics")).body);
  const int wrong = std::system(("promtool check metrics < " + s.folder() + "/metrics.txt > " + s.folder() + "/said 2>&1").c_str());
  INFO(s.read("said"));
  CHECK(wrong == 0);
}

TEST_CASE("metrics: connections that were refused, by reason") {
  Server s(with_probe("server { listen 127.0.0.1:%%PORT_0%%; location = /metrics { metrics; } }", {}, "worker_connections 3;"));
  s.allow("3 worker_connections are not enough");
  RawClient asks(s.port()), second(s.port()), third(s.port());
  for (RawClient* client : {&asks, &second, &third}) client->send("GET /metrics HTTP/1.1\r\n");
  // Taken in order: all others have their place by now.
  CHECK(RawClient(s.port()).expect_close(kPatience));
  CHECK(RawClient(s.port()).expect_close(kPatience));
  asks.send("Host: a\r\n\r\n");
  CHECK(asks.read_response().body.find("\nseawall_accept_errors_total{reason=\"worker_connections\"} 2\n") != std::string::npos);
}

TEST_CASE("metrics: HTTP/2 clients that were cut off, by limit") {
  Server s(with_metrics("http2 on;"));
  H2Client client(s.port());
  client.request(1, "/none");
  CHECK(client.read_response(1).status == 404);
  std::string flood;
  for (int i = 0; i < 2000; ++i) flood += frame_bytes(NGHTTP2_PING, 0, 0, "12345678");
  client.send(flood);
  CHECK(client.gone_with(NGHTTP2_ENHANCE_YOUR_CALM));
  CHECK(metrics(s).at("seawall_h2_limits_total{limit=\"ping_flood\"}") == 1);
}

TEST_CASE("descriptors that run out are said before they are out, once a minute (B40)") {
  Server s("worker_rlimit_nofile 200; " + with_metrics(""));
  std::vector<RawClient> clients;
  for (int i = 0; i < 150; ++i) clients.emplace_back(s.port());
  REQUIRE(s.wait_for_log("\\[crit\\] .* more than 80% of 200 file descriptors are in use"));
  clients.emplace_back(s.port());
  clients.back().send("GET /none HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(clients.back().read_response().status == 404);
  CHECK(lines_with(s.error_log(), "file descriptors are in use") == 1);
}
