// Every phase of an HTTP/1.1 connection has an end of its own, whatever its client does (INTERNET.md B16, B18-B26):
//
//   phase                      directive                                     clock
//   PROXY header               client_header_timeout                         total
//   TLS handshake              ssl_handshake_timeout                         total, its own
//   head                       client_header_timeout                         total, from its first awaited byte
//   idle                       keepalive_timeout                             total
//   body                       client_body_timeout                           between two reads
//                              client_body_min_rate                          average, after 10 s of waiting
//                              client_body_total_timeout (off)               total
//   handler                    handler_timeout                               to the first byte of the response
//   100 Continue and response  send_timeout                                  between two writes
//                              send_min_rate                                 average, after 10 s with a full socket
//   rest of a body, close      lingering_timeout, lingering_time             between two reads, total
//   the whole request          request_max_time                              total
//
// Lower bounds are checked everywhere, upper ones in at_the_latest().
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

#include "catch.h"
#include "e2e/certificate.h"
#include "e2e/counts.h"
#include "e2e/curl.h"
#include "e2e/timing.h"
#include "e2e/tls_bytes.h"

using namespace std::chrono_literals;
using namespace test;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

namespace {

const std::string kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kBig(8 << 20, 'x');

// One server on PORT_0; `http` goes before it, `inside` into it.
std::string server(const std::string& inside, const std::string& http = "") {
  return with_probe(http + "server { listen 127.0.0.1:%%PORT_0%%; " + inside + " }");
}

std::string post(const std::string& path, std::size_t length) {
  return "POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

// A server that speaks TLS on PORT_0.
class TlsServer : public Server {
 public:
  explicit TlsServer(const std::string& http) : TlsServer(http, make_certificate({"localhost"})) {}

 private:
  TlsServer(const std::string& http, const Certificate& made)
      : Server(http + "server { listen 127.0.0.1:%%PORT_0%% ssl; ssl_certificate a.crt; ssl_certificate_key a.key; return 200 ok; }",
               {{"a.crt", made.certificate}, {"a.key", made.key}}) {}
};

}  // namespace

TEST_CASE("PROXY header: one that is late is not waited for, however it comes") {
  Server s("client_header_timeout 200ms; server { listen 127.0.0.1:%%PORT_0%% proxy_protocol; return 200 ok; }");
  for (const std::string begun : {"", "PROXY TCP4 1.2.3.4"}) {
    const Stopwatch watch(200ms);
    RawClient c(s.port());
    c.send(begun);
    CHECK(c.read_all() == "");
    watch.check();
  }
  const Stopwatch watch(200ms);
  RawClient dripping(s.port());
  CHECK_FALSE(drip(dripping, "PROXY TCP4 1.2.3.4 5.6.7.8 1000 2000\r\n", 50ms));
  watch.check();
  CHECK(s.wait_for_log("client timed out while reading PROXY protocol"));
}

TEST_CASE("PROXY header: the time it takes is not the head's") {
  Server s("client_header_timeout 4s; server { listen 127.0.0.1:%%PORT_0%% proxy_protocol; return 200 ok; }");
  RawClient c(s.port());
  REQUIRE(drip(c, "PROXY TC", 280ms));
  c.send("P4 1.2.3.4 5.6.7.8 1000 2000\r\n");
  REQUIRE(drip(c, "GET / HT", 280ms));
  c.send("TP/1.1\r\nHost: a\r\n\r\n");
  CHECK(c.read_response().status == 200);
}

TEST_CASE("TLS handshake: a total of its own, at any byte of it") {
  TlsServer s("ssl_handshake_timeout 200ms; client_header_timeout 60s;");
  const std::string hello = TlsBytes().handshake("");
  for (const std::size_t sent : {std::size_t(0), std::size_t(1), std::size_t(5), hello.size() / 2, hello.size()}) {
    const Stopwatch watch(200ms);
    RawClient c(s.port());
    c.send(hello.substr(0, sent));
    CHECK(c.expect_close(kPatience));
    watch.check();
  }
  const Stopwatch watch(200ms);
  RawClient dripping(s.port());
  CHECK_FALSE(drip(dripping, hello, 20ms));
  watch.check();
  CHECK(s.wait_for_log("client timed out while SSL handshaking"));
}

TEST_CASE("TLS handshake: a slow one leaves the head its whole time") {
  TlsServer s("ssl_handshake_timeout 20s; client_header_timeout 4s;");
  RawClient c(s.port());
  TlsBytes tls;
  const auto send_slowly = [&](const std::string& bytes) {
    REQUIRE(drip(c, std::string_view(bytes).substr(0, 10), 220ms));
    c.send(std::string_view(bytes).substr(10));
  };
  send_slowly(tls.handshake(""));
  std::string finished;
  while (finished.empty()) finished = tls.handshake(c.read(1));
  send_slowly(finished);
  const std::string request = tls.seal(kGet);
  // The tickets of TLS 1.3 are an answer, too: from here on only the clock tells.
  for (const char byte : request.substr(0, 10)) {
    c.send({&byte, 1});
    ::poll(nullptr, 0, 220);
  }
  c.send(std::string_view(request).substr(10));
  std::string answer;
  while (answer.find("ok") == std::string::npos) answer += tls.open(c.read(1));
  CHECK_THAT(answer, StartsWith("HTTP/1.1 200"));
}

TEST_CASE("head: who sends nothing is left in silence") {
  Server s(server("return 200 ok;", "client_header_timeout 200ms;"));
  const Stopwatch watch(200ms);
  RawClient c(s.port());
  CHECK(c.read_all() == "");
  watch.check();
}

TEST_CASE("head: half of one is answered with 408, and dripping does not stretch it") {
  Server s(server("return 200 ok;", "client_header_timeout 200ms; keepalive_timeout 60s;"));
  const auto late = [](RawClient& c) {
    CHECK(c.read_response().status == 408);
    CHECK(c.read_all() == "");
  };
  for (const std::string half : {"G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\n"}) {
    const Stopwatch watch(200ms);
    RawClient c(s.port());
    c.send(half);
    late(c);
    watch.check();
  }
  const Stopwatch watch(200ms);
  RawClient dripping(s.port());
  CHECK_FALSE(drip(dripping, kGet, 30ms));
  watch.check();
  late(dripping);
  CHECK(s.wait_for_log("client timed out while reading client request headers"));
}

TEST_CASE("head: the half of a second one, there before the first response, has its own time") {
  Server s(server("return 200 ok;", "client_header_timeout 200ms;"));
  const Stopwatch watch(200ms);
  RawClient c(s.port());
  c.send(kGet + "GET /second");
  CHECK(c.read_response().status == 200);
  CHECK(c.read_response().status == 408);
  CHECK(c.read_all() == "");
  watch.check();
}

TEST_CASE("head: the body's time is not its") {
  Server s(server("location / { probe_read on; }", "client_header_timeout 1s; client_body_timeout 60s;"));
  RawClient c(s.port());
  c.send(post("/", 15));
  drip(c, "123456789012345", 100ms);
  CHECK(c.read_response().body == "123456789012345");
}

TEST_CASE("idle: the time of the location that served last, then a quiet close") {
  Server s(server("location /short { keepalive_timeout 200ms; return 200 ok; } location /long { return 200 ok; }"));
  RawClient c(s.port());
  c.send("GET /long HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(c.read_response().status == 200);
  const Stopwatch watch(200ms);
  c.send("GET /short HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(c.read_response().status == 200);
  CHECK(c.read_all() == "");
  watch.check();
}

TEST_CASE("idle: what it takes does not eat the next head's time") {
  Server s(server("return 200 ok;", "client_header_timeout 4s; keepalive_timeout 60s;"));
  RawClient c(s.port());
  for (int i = 0; i < 2; ++i) {
    REQUIRE(drip(c, "GET / HTT", 240ms));
    c.send("P/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(c.read_response().status == 200);
    pollfd quiet{c.fd(), POLLIN, 0};
    REQUIRE(::poll(&quiet, 1, 2000) == 0);
  }
}

TEST_CASE("body: between two reads, of the request's location") {
  Server s(server("location /upload { client_body_timeout 60s; probe_read on; }"
                  "location /login { client_body_timeout 200ms; probe_read on; }"));
  RawClient c(s.port());
  c.send(post("/upload", 10));
  drip(c, "1234567890", 50ms);
  CHECK(c.read_response().body == "1234567890");
  c.send(post("/login", 10));
  c.send("12345");
  const Stopwatch watch(200ms);
  c.send("6");
  CHECK(c.read_response().status == 408);
  CHECK(c.read_all() == "");
  watch.check();
  CHECK(s.wait_for_log("client timed out while reading client request body"));
}

TEST_CASE("body: gaps below the limit add up to any time") {
  Server s(server("location / { client_body_timeout 3s; probe_read on; }"));
  RawClient c(s.port());
  c.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  drip(c, "5\r\n12345\r\n3\r\n678\r\n0\r\n\r\n", 140ms);
  CHECK(c.read_response().body == "12345678");
}

TEST_CASE("body: a chunked one that stops is late, wherever it stops") {
  Server s(server("location / { client_body_timeout 200ms; probe_read on; }"));
  for (const std::string begun : {"", "5", "5\r\n12", "5\r\n12345\r\n0\r\n", "5\r\n12345\r\n0\r\nX: y"}) {
    RawClient c(s.port());
    const Stopwatch watch(200ms);
    c.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + begun);
    CHECK(c.read_response().status == 408);
    CHECK(c.read_all() == "");
    watch.check();
  }
}

TEST_CASE("body: the whole, where the location bounds it") {
  Server s(server("location /login { client_body_total_timeout 300ms; probe_read on; } location / { probe_read on; }"));
  const Stopwatch watch(300ms);
  RawClient c(s.port());
  c.send(post("/login", 1000));
  CHECK_FALSE(drip(c, std::string(1000, 'x'), 30ms));
  CHECK(c.read_response().status == 408);
  watch.check();
}

TEST_CASE("body: too slow on average, once ten seconds have been waited") {
  Server s(server("location / { client_body_min_rate 100; probe_read on; }"));
  const Stopwatch watch(10s);
  RawClient c(s.port());
  c.send(post("/", 1000));
  CHECK_FALSE(drip(c, std::string(1000, 'x'), 100ms));
  CHECK(c.read_response().status == 408);
  watch.check();
}

TEST_CASE("body: 100 Continue starts no other clock than the body's") {
  Server s(server("location / { client_body_timeout 200ms; probe_read on; }"));
  const Stopwatch watch(200ms);
  RawClient c(s.port());
  c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  CHECK(c.read_response().status == 100);
  CHECK(c.read_response().status == 408);
  CHECK(c.read_all() == "");
  watch.check();
}

TEST_CASE("handler: to the first byte of the response, of the request's location") {
  Server s(server("handler_timeout 60s; location /slow { handler_timeout 200ms; probe_wait 60s; }"
                  "location / { probe_wait 300ms; probe_stream 1 2; }"));
  CHECK(get(s.url("/")).status == 200);
  const Stopwatch watch(200ms);
  CHECK(get(s.url("/slow")).status == 503);
  watch.check();
  CHECK(s.wait_for_log("\\[error\\].*handler timed out.*\"GET /slow"));
}

TEST_CASE("handler: the time before a location is known counts, too") {
  Server s(server("handler_timeout 200ms; probe_early_wait 60s; location / { return 200 never; }"));
  const Stopwatch watch(200ms);
  CHECK(get(s.url("/")).status == 503);
  watch.check();
}

TEST_CASE("handler: a module moves its own deadline, either way, within request_max_time") {
  Server s(server("location /longer { handler_timeout 200ms; probe_deadline 60s; probe_wait 600ms; probe_stream 1 2; }"
                  "location /shorter { probe_deadline 200ms; probe_wait 60s; }"
                  "location /bounded { request_max_time 200ms; probe_deadline 60s; probe_wait 60s; }"));
  CHECK(get(s.url("/longer")).status == 200);
  for (const char* path : {"/shorter", "/bounded"}) {
    const Stopwatch watch(200ms);
    CHECK(get(s.url(path)).status == 503);
    watch.check();
  }
}

TEST_CASE("handler: waiting for the client's body does not count") {
  Server s(server("location / { handler_timeout 500ms; probe_read on; }"));
  RawClient c(s.port());
  c.send(post("/", 15));
  drip(c, "123456789012345", 100ms);
  CHECK(c.read_response().body == "123456789012345");
}

TEST_CASE("handler: a response that has begun takes what it takes, but its first piece must come") {
  Server s(server("location /long { handler_timeout 1s; probe_stream 15 10 100ms; }"
                  "location /late { handler_timeout 200ms; probe_stream 2 10 60s; }"));
  CHECK(get(s.url("/long")).body.size() == 150);
  RawClient c(s.port());
  const Stopwatch watch(200ms);
  c.send("GET /late HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK_THAT(c.read_all(), !ContainsSubstring("xxxxx"));
  watch.check();
  CHECK(s.wait_for_log("handler timed out while producing the response"));
}

TEST_CASE("handler: what error_page runs for a bad request has the same end") {
  Server s(server("handler_timeout 200ms; error_page 400 408 = /slow; location = /slow { probe_wait 60s; }",
                  "client_header_timeout 200ms;"));
  RawClient c(s.port());
  Stopwatch watch(200ms);
  c.send("GET / HTTP/1.1\r\n\r\n");
  CHECK(c.read_response().status == 503);
  CHECK(c.read_all() == "");
  watch.check();
  watch.restart();
  RawClient late(s.port());
  late.send("GET /");
  CHECK(late.read_response().status == 503);
  watch.check();
}

TEST_CASE("send: a client that takes nothing") {
  Server s(server("location / { root %%DIR%%; } location /stream { probe_stream 100000 10000; }",
                  "send_timeout 200ms; reset_timedout_connection on;"), {{"big", kBig}});
  for (const char* path : {"/big", "/stream"}) {
    RawClient c(s.port(), "127.0.0.1", 4096);
    const Stopwatch watch(200ms);
    c.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n");
    pollfd broken{c.fd(), 0, 0};
    CHECK(::poll(&broken, 1, left_until(Clock::now() + kPatience)) == 1);
    CHECK((broken.revents & POLLERR) != 0);
    watch.check();
  }
  CHECK(s.wait_for_log("client timed out while sending response to client"));
}

TEST_CASE("send: without reset_timedout_connection, too, its descriptor is free when the time is over") {
  // The file's own descriptor stays all the time.
  Server s(server("root %%DIR%%; send_timeout 200ms; open_file_cache max=1;"), {{"big", kBig}});
  CHECK(get(s.url("/big"), {"Range: bytes=0-0"}).status == 206);
  const pid_t worker = serving_process(s);
  const int before = settled_descriptors(worker);
  RawClient c(s.port(), "127.0.0.1", 4096);
  const Stopwatch watch(200ms);
  c.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
  c.read(1);
  CHECK(open_descriptors(worker) > before);
  CHECK(wait_until([&] { return open_descriptors(worker) <= before; }));
  watch.check();
  CHECK(c.read_all().size() < kBig.size());
}

TEST_CASE("send: a client that takes a little within every gap gets it all") {
  Server s(server("root %%DIR%%; send_timeout 1s;"), {{"big", kBig}});
  RawClient c(s.port(), "127.0.0.1", 65536);
  const auto begin = Clock::now();
  c.send("GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  c.read_until("\r\n\r\n");
  for (std::size_t size = 0; size < kBig.size();) {
    const std::size_t piece = std::min<std::size_t>(256 * 1024, kBig.size() - size);
    size += c.read(piece).size();
    ::poll(nullptr, 0, 60);
  }
  CHECK(c.read_all() == "");
  CHECK(Clock::now() - begin > 1s);
}

TEST_CASE("send: too slow on average, once the socket was full for ten seconds") {
  Server s(server("root %%DIR%%; send_min_rate 64k; reset_timedout_connection on;"), {{"big", kBig}});
  RawClient c(s.port(), "127.0.0.1", 4096);
  const Stopwatch watch(10s);
  c.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
  pollfd broken{c.fd(), 0, 0};
  while (::poll(&broken, 1, 100) == 0) c.read(1000);
  watch.check();
}

TEST_CASE("linger: between two reads, and in all") {
  Server s(server("location /gap { lingering_timeout 200ms; return 413; } location /total { lingering_time 300ms; return 413; }"
                  "location /counts { probe_counts on; }"));
  CHECK(get(s.url("/gap")).status == 413);
  const pid_t worker = serving_process(s);
  const int before = settled_descriptors(worker);
  {
    RawClient c(s.port());
    const Stopwatch watch(200ms);
    c.send(post("/gap", 1000));
    CHECK(c.read_response().status == 413);
    CHECK(c.read_all() == "");
    CHECK(wait_until([&] { return open_descriptors(worker) <= before; }));
    watch.check();
  }
  RawClient c(s.port());
  const Stopwatch watch(300ms);
  c.send(post("/total", 100'000));
  CHECK(c.read_response().status == 413);
  CHECK(c.read_all() == "");
  const auto refused = [&] {
    char byte = 'x';
    return ::send(c.fd(), &byte, 1, MSG_NOSIGNAL) < 0;
  };
  CHECK(wait_until(refused));
  watch.check();
  CHECK(wait_until([&] { return open_descriptors(worker) <= before; }));
  CHECK(timeouts(s.url("/counts"), seawall::Wait::linger) == 2);
  CHECK(s.wait_for_log("client timed out while closing the connection"));
}

TEST_CASE("linger: the rest of a body nobody wanted, before the next request") {
  Server s(server("location /gap { lingering_timeout 200ms; return 200 ok; } location /total { lingering_time 300ms; return 200 ok; }"
                  "location /off { lingering_time 0; return 200 ok; }"));
  for (const auto& [path, limit] : {std::pair("/gap", 200ms), std::pair("/total", 300ms), std::pair("/off", 0ms)}) {
    RawClient c(s.port());
    const Stopwatch watch(limit);
    c.send(post(path, 1000));
    CHECK(c.read_response().status == 200);
    CHECK_FALSE(drip(c, std::string(1000, 'x'), path == std::string("/total") ? 20ms : 10s));
    watch.check();
  }
  RawClient whole(s.port());
  whole.send(post("/off", 5) + "12345" + kGet);
  CHECK(whole.read_response().status == 200);
  CHECK(whole.read_response().status == 404);
}

TEST_CASE("the whole request: no gap and no rate makes it longer than request_max_time") {
  Server s(server("location /body { probe_read on; } location /wait { probe_wait 60s; } location /stream { probe_stream 1000 10 20ms; }"
                  "location /big { root %%DIR%%; }", "request_max_time 400ms; send_timeout 60s; reset_timedout_connection on;"),
           {{"big", kBig}});
  {
    const Stopwatch watch(400ms);
    RawClient c(s.port());
    c.send(post("/body", 1000));
    CHECK_FALSE(drip(c, std::string(1000, 'x'), 20ms));
    watch.check();
  }
  {
    const Stopwatch watch(400ms);
    CHECK(get(s.url("/wait")).status == 503);
    watch.check();
  }
  {
    const Stopwatch watch(400ms);
    RawClient c(s.port());
    c.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK_THAT(c.read_all(), ContainsSubstring("xxxxx") && !ContainsSubstring("0\r\n\r\n"));
    watch.check();
  }
  {
    RawClient c(s.port());  // HTTP/1.0: only a reset tells that this is not the end
    c.send("GET /stream HTTP/1.0\r\n\r\n");
    CHECK_THAT(c.read_all(), ContainsSubstring("xxxxx"));
    CHECK(c.was_reset());
  }
  const Stopwatch watch(400ms);
  RawClient c(s.port(), "127.0.0.1", 4096);
  c.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
  pollfd broken{c.fd(), 0, 0};
  CHECK(::poll(&broken, 1, left_until(Clock::now() + kPatience)) == 1);
  watch.check();
}

TEST_CASE("reset_timedout_connection: a late client gets a reset instead of an orderly end") {
  Server s(server("return 200 ok;", "client_header_timeout 200ms; reset_timedout_connection on;"));
  RawClient c(s.port());
  c.send("GET /");
  CHECK(c.expect_close(kPatience));
  CHECK(c.was_reset());
}

TEST_CASE("a bound that is taken away is warned about, and none is by omission") {
  for (const char* line : {"client_header_timeout 0;", "client_body_timeout 0;", "client_body_min_rate 0;", "handler_timeout 0;",
                           "send_timeout 0s;", "send_min_rate 0;", "request_max_time 0ms;", "ssl_handshake_timeout 0;"}) {
    const Run run = check_config(line);
    CHECK(run.exit_code == 0);
    const std::string name(line, std::string_view(line).find(' '));
    CHECK_THAT(run.err, ContainsSubstring("[warn] \"" + name + "\" is off: what it bounds has no limit now in "));
  }
  const Run main = check_config("limit_conn_header 0;\nevents {}\nhttp {}");
  CHECK_THAT(main.err, ContainsSubstring("[warn] \"limit_conn_header\" is off"));
  CHECK_THAT(check_config("server { }").err, !ContainsSubstring("[warn]"));
}

TEST_CASE("a configuration that says nothing has an end for every phase") {
  const auto table = [](const char* module) { return run_server({"directives", module}, make_folder()).out; };
  const std::string core = table("core");
  for (const char* row : {"| `client_header_timeout` | time | `10s` |", "| `client_body_timeout` | time | `1m` |",
                          "| `client_body_min_rate` | size | `512` |", "| `handler_timeout` | time | `1m` |",
                          "| `send_timeout` | time | `1m` |", "| `send_min_rate` | size | `256` |", "| `request_max_time` | time | `1d` |",
                          "| `keepalive_timeout` | time [header time] | `75s` |", "| `lingering_timeout` | time | `5s` |",
                          "| `lingering_time` | time | `30s` |"})
    CHECK_THAT(core, ContainsSubstring(row));
  CHECK_THAT(table("ssl"), ContainsSubstring("| `ssl_handshake_timeout` | time | `10s` |"));
  CHECK_THAT(table("main"), ContainsSubstring("| `limit_conn_header` | number | `256` |"));
}
