// B16 as a property: clients stop at a random byte of a random phase and must see the close within that phase's limit and
// half a second, never before the limit; then no descriptor is left. SEAWALL_SEED repeats a run, SEAWALL_SOAK_MINUTES makes
// it long (tests/soak).
#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "catch.h"
#include "e2e/certificate.h"
#include "e2e/curl.h"
#include "e2e/h2_client.h"
#include "e2e/timing.h"
#include "e2e/tls_bytes.h"

using namespace std::chrono_literals;
using namespace test;

namespace {

constexpr int kThreads = 16, kPlays = 12;
constexpr auto kHead = 300ms, kHandshake = 400ms, kBody = 350ms, kIdle = 450ms, kLinger = 250ms, kSend = 500ms;

const char* const kConf = R"(
  client_header_timeout 300ms; ssl_handshake_timeout 400ms; client_body_timeout 350ms; keepalive_timeout 450ms;
  lingering_timeout 250ms; send_timeout 500ms;
  ssl_certificate a.crt; ssl_certificate_key a.key;
  server {
    listen 127.0.0.1:%%PORT_0%%;
    listen 127.0.0.1:%%PORT_1%% ssl;
    listen 127.0.0.1:%%PORT_2%% proxy_protocol;
    location / { return 200 ok; }
    location /body { probe_read on; }
    location /big { root %%DIR%%; reset_timedout_connection on; }
    location /stream { probe_stream 100000 10000; reset_timedout_connection on; }
  }
  server {
    listen 127.0.0.1:%%PORT_3%%;
    http2 on;
    location / { return 200 ok; }
    location /body { probe_read on; }
    location /big { root %%DIR%%; reset_timedout_connection on; }
    location /stream { probe_stream 100000 10000; reset_timedout_connection on; }
  })";

// One client: its random choices, and the two times between which the clock of its phase has started.
class Play {
 public:
  Play(const Server& server, std::mt19937_64& random) : server_(server), random_(random) {}

  // A client that a busy machine keeps from its own script for this long may have been closed before it came to its phase.
  static constexpr auto kTooLate = 100ms;
  bool was_late() const { return late_; }

  // What went wrong; "" when nothing did.
  std::string run() {
    using Phase = void (Play::*)();
    static constexpr Phase phases[] = {&Play::proxy_header, &Play::client_hello, &Play::client_finished, &Play::record,
                                       &Play::head,         &Play::idle,         &Play::body,            &Play::chunked_body,
                                       &Play::unread_body,  &Play::reading,        &Play::h2_preface,    &Play::h2_idle,
                                       &Play::h2_head,      &Play::h2_body,        &Play::h2_reading};
    try {
      (this->*phases[below(std::size(phases))])();
    } catch (const std::runtime_error& error) {
      return interrupted(error.what());
    }
    await_close();
    return verdict();
  }

 private:
  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }
  std::string_view any_beginning(std::string_view text) { return text.substr(0, below(text.size())); }

  void expect(const char* phase, Clock::duration limit) {
    phase_ = phase;
    limit_ = limit;
  }
  void connect(int port, int receive_buffer = 0) {
    begin();
    client_ = std::make_unique<RawClient>(server_.port(port), "127.0.0.1", receive_buffer);
    begun();
  }
  // The clock starts between these two.
  void begin() { earliest_ = mark(); }
  void begun() {
    latest_ = mark();
    busy_ = time_without_processor();
  }
  Clock::time_point mark() {
    const auto now = Clock::now();
    late_ |= now - std::exchange(mark_, now) > kTooLate;
    return now;
  }

  // Plain or TLS, and perhaps some requests that are served as usual.
  void open_and_use(int receive_buffer = 0) {
    constexpr int ports[] = {0, 1, 3};
    const int port = ports[below(3)];
    const bool tls = port == 1;
    connect(port, receive_buffer);
    if (tls) {
      begin();
      client_->start_tls();
      begun();
    }
    for (used_ = below(3); requests_ < used_; ++requests_) serve_one();
  }
  void serve_one() {
    begin();
    client_->send(request("GET", "/" + std::string(below(50), 'p')) + "\r\n");
    client_->read_response();
    begun();
  }
  std::string request(const std::string& method, const std::string& path) {
    std::string head = method + " " + path + " HTTP/1.1\r\nHost: localhost\r\n";
    for (std::size_t i = below(5); i > 0; --i) head += "X-" + std::to_string(i) + ": " + std::string(below(300), 'v') + "\r\n";
    return head;
  }

  // In up to three pieces; a clock between two reads starts with the last.
  void send_beginning(std::string_view bytes) {
    for (std::size_t left = below(3); left > 0 && bytes.size() > 1; --left) {
      const auto piece = bytes.substr(0, 1 + below(bytes.size() - 1));
      client_->send(piece);
      bytes.remove_prefix(piece.size());
    }
    if (bytes.empty()) return;
    begin();
    client_->send(bytes);
    begun();
  }
  // As before, but a clock of the whole runs already, or starts with the first byte.
  void send_within_total(std::string_view bytes, bool starts_now) {
    const auto earliest = earliest_, latest = latest_;
    const auto busy = busy_;
    if (starts_now) begin();
    const auto first = earliest_;
    send_beginning(bytes);
    earliest_ = starts_now ? first : earliest;
    if (starts_now) return;
    latest_ = latest;
    busy_ = busy;
  }

  void proxy_header() {
    expect("PROXY header", kHead);
    connect(2);
    send_within_total(any_beginning("PROXY TCP4 192.0.2.1 192.0.2.2 12345 443\r\n"), false);
  }
  void client_hello() {
    expect("ClientHello", kHandshake);
    connect(1);
    const std::string hello = TlsBytes().handshake("");
    send_within_total(any_beginning(hello), false);
  }
  std::string until_finished(TlsBytes& tls) {
    client_->send(tls.handshake(""));
    std::string next;
    while (next.empty() && !tls.done()) next = tls.handshake(client_->read(1));
    return next;
  }
  void client_finished() {
    expect("Finished", kHandshake);
    connect(1);
    TlsBytes tls(below(2) == 0 ? TLS1_2_VERSION : 0);
    const std::string finished = until_finished(tls);
    send_within_total(any_beginning(finished), false);
  }
  void record() {
    expect("a record of a head", kHead);
    connect(1);
    TlsBytes tls;
    const std::string finished = until_finished(tls);
    begin();
    client_->send(finished);
    begun();
    const std::string sealed = tls.seal(request("GET", "/") + "\r\n");
    send_within_total(any_beginning(sealed), false);
  }
  void head() {
    expect("requests before a head", kHead);
    open_and_use();
    const std::string whole = request("GET", "/") + "\r\n";
    const auto part = any_beginning(whole);
    expect(part.empty() && used_ > 0 ? "idle" : "head", part.empty() && used_ > 0 ? Clock::duration(kIdle) : kHead);
    if (part.empty()) return;
    const bool pipelined = below(3) == 0;
    if (!pipelined) return send_within_total(part, used_ > 0);
    phase_ = "pipelined head";
    begin();
    client_->send(request("GET", "/") + "\r\n" + std::string(part));
    client_->read_response();
    begun();
  }
  void idle() {
    expect("idle", kIdle);
    open_and_use();
    serve_one();
  }
  void body() {
    expect("body", kBody);
    open_and_use();
    const std::string bytes(1 + below(40'000), 'b');
    send_head("POST", "/body", "Content-Length: " + std::to_string(bytes.size()) + "\r\n");
    send_beginning(any_beginning(bytes));
  }
  std::string chunks() {
    std::string bytes;
    char size[32];
    for (std::size_t n = below(5); n > 0; --n) {
      const std::string data(1 + below(3000), 'c');
      std::snprintf(size, sizeof size, "%zx;x=y\r\n", data.size());
      bytes += size + data + "\r\n";
    }
    return bytes + "0\r\nX-Trailer: value\r\n\r\n";
  }
  void chunked_body() {
    expect("chunked body", kBody);
    open_and_use();
    const std::string bytes = chunks();
    send_head("POST", "/body", "Transfer-Encoding: chunked\r\n");
    send_beginning(any_beginning(bytes));
  }
  void unread_body() {
    expect("a body nobody reads", kLinger);
    open_and_use();
    const std::string bytes = chunks();
    send_head("POST", "/", "Transfer-Encoding: chunked\r\n");
    send_beginning(any_beginning(bytes));
  }
  void send_head(const std::string& method, const std::string& path, const std::string& framing) {
    begin();
    client_->send(request(method, path) + framing + "\r\n");
    begun();
  }
  void reading() {
    expect("reading", kSend);
    open_and_use(16384);
    send_head("GET", below(2) == 0 ? "/big" : "/stream", "");
    client_->read(below(3) == 0 ? 0 : below(50'000));
    begun();  // not begin(): what was read may have been here long before
    reads_ = false;
  }

  // What ends a stream leaves its connection idle: closed when that time is over, too.
  void expect_stream(const char* phase, Clock::duration limit) { expect(phase, limit + kIdle); }
  static std::string h2_head_of(std::uint32_t stream, char method, const std::string& path, bool ends) {
    const auto literal = [](char name, const std::string& value) { return std::string(1, name) + static_cast<char>(value.size()) + value; };
    return frame_bytes(NGHTTP2_HEADERS, static_cast<std::uint8_t>(NGHTTP2_FLAG_END_HEADERS | (ends ? NGHTTP2_FLAG_END_STREAM : 0)), stream,
                       std::string(1, method) + "\x86" + literal(4, path) + literal(1, "localhost"));
  }
  static constexpr char kGet = '\x82', kPost = '\x83';  // HPACK's static table
  static std::string h2_greeting() { return std::string(kPreface) + frame_bytes(NGHTTP2_SETTINGS, 0, 0); }
  // ... and some requests that are served as usual.
  void open_h2() {
    connect(3);
    begin();
    client_->send(h2_greeting() + frame_bytes(NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0));
    begun();
    for (used_ = below(3); requests_ < used_; ++requests_, stream_ += 2) serve_one_over_h2();
  }
  void serve_one_over_h2() {
    begin();
    client_->send(h2_head_of(stream_, kGet, "/", true));
    for (bool ended = false; !ended;) {
      const std::string head = client_->read(9);
      const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(head[at]); };
      client_->read(std::size_t(byte(0)) << 16 | std::size_t(byte(1)) << 8 | byte(2));
      ended = byte(3) <= NGHTTP2_HEADERS && (byte(4) & NGHTTP2_FLAG_END_STREAM);
    }
    begun();
  }
  void h2_preface() {
    expect("HTTP/2 preface", kHead);
    connect(3);
    const std::string greeting = h2_greeting();
    send_within_total(any_beginning(greeting), false);
  }
  void h2_idle() {
    expect("HTTP/2 idle", kIdle);
    open_h2();
  }
  void h2_head() {
    open_h2();
    const std::string whole = h2_head_of(stream_, kGet, "/" + std::string(below(50), 'p'), true);
    const auto part = any_beginning(whole);
    // Before the frame's own head is there, nobody knows that it is one.
    if (part.size() < 9) {
      expect("HTTP/2 frame", kIdle);
      if (!part.empty()) client_->send(part);
      return;
    }
    expect_stream("HTTP/2 head", kHead);
    begin();
    client_->send(part);
    begun();
  }
  void h2_body() {
    expect_stream("HTTP/2 body", kBody);
    open_h2();
    const std::string bytes(1 + below(10'000), 'b');
    begin();
    client_->send(h2_head_of(stream_, kPost, "/body", false) + frame_bytes(NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, stream_, bytes).substr(0, 9));
    begun();
    send_beginning(any_beginning(bytes));
  }
  void h2_reading() {
    expect_stream("HTTP/2 reading", kSend);
    open_h2();
    begin();
    client_->send(h2_head_of(stream_, kGet, below(2) == 0 ? "/big" : "/stream", true));
    client_->read(1 + below(50'000));
    begun();
  }

  void await_close() {
    if (reads_) {
      closed_ = client_->expect_close(kPatience);
    } else {
      pollfd broken{client_->fd(), 0, 0};
      closed_ = ::poll(&broken, 1, left_until(Clock::now() + kPatience)) == 1;
    }
    end_ = Clock::now();
    busy_ = time_without_processor() - busy_;
  }

  std::string interrupted(const std::string& reason) {
    mark();
    return std::string(phase_) + ": " + reason;
  }

  std::string verdict() const {
    const auto ms = [](Clock::duration d) { return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(d).count()); };
    const std::string what = std::string(phase_) + " after " + std::to_string(used_) + " requests, limit " + ms(limit_) + " ms: ";
    if (!closed_) return what + "not closed";
    if (end_ - earliest_ + kTurn < limit_) return what + "closed after " + ms(end_ - earliest_) + " ms";
    if (end_ - latest_ > at_the_latest(limit_) + busy_) return what + "closed only after " + ms(end_ - latest_) + " ms";
    return "";
  }

  const Server& server_;
  std::mt19937_64& random_;
  std::unique_ptr<RawClient> client_;
  const char* phase_ = "";
  Clock::duration limit_{}, busy_{};
  Clock::time_point earliest_, latest_, end_, mark_ = Clock::now();
  std::size_t used_ = 0, requests_ = 0;
  std::uint32_t stream_ = 1;
  bool reads_ = true, closed_ = false, late_ = false;
};

std::uint64_t seed() {
  const char* given = std::getenv("SEAWALL_SEED");
  return given ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

// Whether another play is due: a number of them, or minutes.
class Length {
 public:
  bool more(int played) const { return minutes_ > 0 ? Clock::now() < end_ : played < kPlays; }

 private:
  static int wanted() {
    const char* minutes = std::getenv("SEAWALL_SOAK_MINUTES");
    return minutes ? std::atoi(minutes) : 0;
  }
  const int minutes_ = wanted();
  const Clock::time_point end_ = Clock::now() + std::chrono::minutes(minutes_);
};

}  // namespace

TEST_CASE("a client that stops at any byte of any phase is gone when the phase's time is over") {
  const std::uint64_t number = seed();
  INFO("SEAWALL_SEED=" << number);
  ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to a socket that the server may have closed
  const auto made = make_certificate({"localhost"});
  Server s(with_probe(kConf), {{"a.crt", made.certificate}, {"a.key", made.key}, {"big", std::string(8 << 20, 'x')}});
  REQUIRE(get(s.url("/")).body == "ok");
  const pid_t worker = serving_process(s);
  const int before = settled_descriptors(worker);
  const Length length;
  std::mutex mutex;
  std::vector<std::string> failures;
  int valid = 0;
  std::vector<std::thread> threads;
  for (int n = 0; n < kThreads; ++n)
    threads.emplace_back([&, n] {
      std::mt19937_64 random(number + std::uint64_t(n));
      for (int played = 0; length.more(played); ++played) {
        Play play(s, random);
        const std::string failure = play.run();
        std::lock_guard lock(mutex);
        if (play.was_late()) continue;
        ++valid;
        if (failure.empty()) continue;
        failures.push_back("thread " + std::to_string(n) + ", play " + std::to_string(played) + ": " + failure);
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(serving_process(s) == worker);
  CHECK(valid > 0);
  for (const auto& failure : failures) FAIL_CHECK(failure);
  CHECK(wait_until([&] { return open_descriptors(worker) <= before; }));
  CHECK(get(s.url("/")).body == "ok");
}
