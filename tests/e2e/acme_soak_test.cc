// In full (tests/soak): certificates change in the running worker under 1,000 requests a second (B10), for SEAWALL_SOAK_MINUTES.
#include <cstdlib>

#include "catch.h"
#include "e2e/acme_site.h"
#include "e2e/handshakes.h"

using namespace test;

TEST_CASE("no handshake fails under a thousand requests a second while certificates are renewed, for minutes", "[.][soak]") {
  const char* const wanted = std::getenv("SEAWALL_SOAK_MINUTES");
  const auto time = std::chrono::minutes(wanted ? std::atoi(wanted) : 1);
  const Ports ports;
  PebbleOptions options;
  options.validity = 15;  // renewed every ten seconds
  const auto ca = Pebble::start(ports.http, ports.tls, options);
  if (!ca) return;
  Server s("worker_processes 2;\nevents {}\nhttp { access_log off; " + ca->issuer("pebble", "retry_interval 1s;") + "acme on; server { " +
           ports.listen_plain() + ports.listen_tls() + "server_name a.example.test; location / { return 200 $pid; } } }");
  REQUIRE(is_issued(s));
  const auto begin = Clock::now();
  constexpr int kRequests = 4;  // of a connection: the clients of this machine need more time for a handshake than the server
  Handshakes load(ports.tls, 8, kRequests);
  std::vector<std::string> serials;
  while (Clock::now() < begin + time) {
    const std::string serial = seen(ports.tls, "a.example.test").serial;
    if (serials.empty() || serials.back() != serial) serials.push_back(serial);
  }
  load.stop();
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  const double rate = kRequests * load.done() / seconds;
  WARN(load.done() << " handshakes in " << seconds << " s, " << rate << " requests a second, " << serials.size() - 1 << " renewals");
  CHECK(load.failure() == "");
  CHECK(serials.size() > static_cast<std::size_t>(seconds / 15));
  CHECK(rate >= 1000);
}
