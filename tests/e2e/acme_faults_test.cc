// A CA that misbehaves, and a server that dies: never a lost account, never half a certificate, never a tight loop of tries. In
// front of pebble stands a server of ours, whose locations are the faults.
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "catch.h"
#include "e2e/acme_site.h"
#include "e2e/times_in.h"

using namespace test;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

// What stands in front of the CA; the faults are locations.
class Front {
 public:
  explicit Front(const Pebble& ca, const std::string& faults = {})
      : ca_(ca),
        own_(make_certificate({"localhost"})),
        server_(config(faults), {{"a.crt", own_.certificate}, {"a.key", own_.key}}) {}
  void change(const std::string& faults) { REQUIRE(server_.reload(config(faults))); }
  std::string issuer(const std::string& more = {}) const {
    return "acme_issuer front { uri " + server_.tls_url("/dir") + "; ssl_trusted_certificate " + server_.folder() +
           "/a.crt; accept_terms_of_service; state_path %%DIR%%/state; retry_interval 1s 2s; " + more + " }\n";
  }
  const Server& server() const { return server_; }
  std::string url() const { return server_.tls_url(""); }

 private:
  std::string config(const std::string& faults) const {
    const std::string ca = ca_.directory().substr(0, ca_.directory().rfind('/'));
    return "log_format front '$uri'; access_log %%DIR%%/asked.log front; keepalive_timeout 0;"
           "server { listen 127.0.0.1:%%PORT_0%% ssl; ssl_certificate %%DIR%%/a.crt; ssl_certificate_key %%DIR%%/a.key; "
           "location / { proxy_pass " +
           ca + "; proxy_set_header Host $http_host; } " + faults + " }";
  }
  const Pebble& ca_;
  const Certificate own_;
  Server server_;
};

std::string problem(int status, const std::string& type, const std::string& detail) {
  return "default_type application/problem+json; return " + std::to_string(status) +
         " '{\"type\":\"urn:ietf:params:acme:error:" + type + "\",\"detail\":\"" + detail + "\"}'; ";
}

std::string site(const Ports& ports, const std::string& issuer) {
  return issuer + "acme on;\nserver { " + ports.listen_plain() + ports.listen_tls() +
         "server_name a.example.test; location / { return 200 $pid; } }\nserver { listen 127.0.0.1:%%PORT_0%%; return 200 "
         "$pid; }";
}

class Setup {
 public:
  Ports ports;
  PebbleOptions options{.environment = {{"PEBBLE_AUTHZREUSE", "0"}}};
  std::unique_ptr<Pebble> ca = Pebble::start(ports.http, ports.tls, options);
};

}  // namespace

TEST_CASE("a CA that has had enough is left alone until it says") {
  const Setup setup;
  if (!setup.ca) return;
  Front front(*setup.ca, "location = /order-plz { add_header Retry-After 4 always; " +
                             problem(429, "rateLimited", "too many new orders") + "}");
  Server s(site(setup.ports, front.issuer()));
  REQUIRE(s.wait_for_log("too many new orders; next try in [34] s"));
  const auto refused = Clock::now();
  const std::size_t asked = times_in(front.server().read("asked.log"), "/order-plz");
  front.change("");
  REQUIRE(is_issued(s));
  CHECK(Clock::now() - refused > 2s);
  CHECK(asked == 1);
}

TEST_CASE("the end of the server does not wait for a CA that says nothing") {
  const Certificate own = make_certificate({"localhost"});
  for (int i = 0; i < 5; ++i) {
    const int port = free_port();
    const seawall::Fd door = listen_on(port);
    REQUIRE(door);
    Server s("acme_issuer silent { uri https://127.0.0.1:" + std::to_string(port) + "/dir; ssl_trusted_certificate %%DIR%%/a.crt; "
             "accept_terms_of_service; state_path %%DIR%%/state; } acme on; server { listen 127.0.0.1:%%PORT_0%% ssl; "
             "server_name a.example.test; return 204; }", {{"a.crt", own.certificate}});
    pollfd call{door.get(), POLLIN, 0};
    REQUIRE(::poll(&call, 1, 30'000) == 1);
  }  // the server's destructor: SIGTERM, and no line of a worker that had to be killed
}

TEST_CASE("a CA that fails, closes or talks nonsense is asked again, with a pause") {
  const Setup setup;
  if (!setup.ca) return;
  const std::string faults[][2] = {
      {"location = /order-plz { return 500; }", "HTTP status 500"},
      {"location = /order-plz { return 444; }", "asking .*/order-plz failed"},
      {"location = /dir { return 200 nonsense; }", "is no directory of an ACME server"},
      {"location = /order-plz { return 201 '[1,2]'; }", "where the order is"},
      {"location = /nonce-plz { return 204; }", "no nonce"},
  };
  Front front(*setup.ca);
  for (const auto& [fault, words] : faults) {
    INFO(fault);
    front.change(fault);
    Server s(site(setup.ports, front.issuer()));
    REQUIRE(s.wait_for_log("acme: no certificate for \"a.example.test\": .*" + words + ".*; next try in [12] s"));
    CHECK(times_in(s.error_log(), "asking for a certificate") <= 2);
    front.change("");
    CHECK(is_issued(s));
  }
}

TEST_CASE("a CA that is slow holds up neither requests nor the end of the server") {
  const Setup setup;
  if (!setup.ca) return;
  const int port = free_port();
  const seawall::Fd mute = listen_on(port);
  Front front(*setup.ca, "location = /order-plz { proxy_pass http://127.0.0.1:" + std::to_string(port) + "; }");
  Server s(site(setup.ports, front.issuer()));
  pollfd wait{mute.get(), POLLIN, 0};
  REQUIRE(::poll(&wait, 1, 10'000) == 1);
  CHECK(get(s.url()).status == 200);
  REQUIRE(s.reload());  // the present worker lets go of the order, the next one goes on
  front.change("");
  CHECK(is_issued(s));
}

TEST_CASE("a certificate that does not fit is never used") {
  const Setup setup;
  if (!setup.ca) return;
  const Certificate foreign = make_certificate({"a.example.test"});
  std::string text;
  for (const char c : foreign.certificate) text += c;
  Front front(*setup.ca, "location ~ ^/certZ/ { return 200 '" + text + "'; }");
  Server s(site(setup.ports, front.issuer()));
  REQUIRE(s.wait_for_log("the CA's certificate is for another key"));
  CHECK(seen(setup.ports.tls, "a.example.test").issuer == "/CN=self-signed until a CA has answered");
  front.change("");
  CHECK(is_issued(s));
}

TEST_CASE("another CA gets its turns when the first has failed often") {
  const Setup setup;
  if (!setup.ca) return;
  Front front(*setup.ca, "location = /order-plz { return 500; }");
  Server s(front.issuer("fallback pebble;") + setup.ca->issuer("pebble") + "server { " + setup.ports.listen_plain() +
           setup.ports.listen_tls() + "server_name a.example.test; acme_certificate front; location / { return 200 ok; } }");
  REQUIRE(is_issued(s));
  CHECK(times_in(s.error_log(), "acme: no certificate for \"a.example.test\": HTTP status 500") >= 3);
}

TEST_CASE("the CA says when to renew") {
  const Setup setup;
  if (!setup.ca) return;
  const std::string window =
      "location /ari/ { return 200 "
      "'{\"suggestedWindow\":{\"start\":\"2020-01-01T00:00:00Z\",\"end\":\"2020-01-02T00:00:00Z\"}}'; }";
  Front front(*setup.ca);
  front.change("location = /dir { proxy_pass " + setup.ca->directory() +
               "; proxy_set_header Host $http_host; proxy_set_header Accept-Encoding ''; "
               "sub_filter_types *; sub_filter '\"newNonce\"' '\"renewalInfo\":\"" +
               front.url() + "/ari\",\"newNonce\"'; }" + window);
  Server s(site(setup.ports, front.issuer()));
  REQUIRE(is_issued(s));
  const std::string serial = seen(setup.ports.tls, "a.example.test").serial;
  const auto renewed = [&] { return seen(setup.ports.tls, "a.example.test").serial != serial; };
  CHECK(wait_for_change(s.folder() + "/state", renewed, Clock::now() + 3 * kPatience));
  CHECK_THAT(front.server().read("asked.log"), ContainsSubstring("/ari/"));
}

TEST_CASE("killed at each step, the server keeps its account and gets its certificate") {
  const Setup setup;
  if (!setup.ca) return;
  Front front(*setup.ca);
  for (const std::string step :
       {"/dir", "/nonce-plz", "/sign-me-up", "/order-plz", "/authZ/", "/chalZ/", "/finalize-order/", "/my-order/", "/certZ/"}) {
    INFO(step);
    const int port = free_port();
    const seawall::Fd mute = listen_on(port);
    front.change("location " + step + " { proxy_pass http://127.0.0.1:" + std::to_string(port) + "; }");
    Server s(site(setup.ports, front.issuer()));
    s.allow("worker process .* exited on signal 9");
    pollfd wait{mute.get(), POLLIN, 0};
    REQUIRE(::poll(&wait, 1, 30'000) == 1);
    const std::string key = s.read("state/account.key"), account = s.read("state/account.json");
    front.change("");  // before the next worker asks
    REQUIRE(::kill(std::stoi(get(s.url()).body), SIGKILL) == 0);
    REQUIRE(is_issued(s));
    if (!key.empty()) CHECK(s.read("state/account.key") == key);
    if (!account.empty()) CHECK(s.read("state/account.json") == account);
    // The one that runs may be writing: what the dead one has begun is gone, once that is done.
    const auto none_unfinished = [&] {
      const std::filesystem::directory_iterator files(s.folder() + "/state");
      return std::none_of(begin(files), end(files), [](const auto& file) { return file.path().extension() == ".new"; });
    };
    CHECK(wait_for_change(s.folder() + "/state", none_unfinished, Clock::now() + kPatience));
    CHECK(times_in(s.error_log(), "asking for a certificate") <= 3);
  }
}
