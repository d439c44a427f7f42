// How long the records of a response are.
#include "catch.h"
#include "e2e/tls_ask.h"
#include "e2e/tls_bytes.h"

using namespace test;

namespace {

// The lengths of the records that come over a raw socket until `size` bytes of plain text have.
std::vector<std::size_t> records(RawClient& c, TlsBytes& tls, std::size_t size) {
  std::vector<std::size_t> lengths;
  std::size_t plain = 0;
  while (plain < size) {
    const std::string head = c.read(5);
    const std::size_t length = static_cast<unsigned char>(head[3]) * 256u + static_cast<unsigned char>(head[4]);
    plain += tls.open(head + c.read(length)).size();
    lengths.push_back(length);
  }
  return lengths;
}

std::vector<std::size_t> records(const std::string& settings) {
  Files files{{"html/big", std::string(100'000, 'x')}};
  add(files, "a", make_certificate({"localhost"}));
  Server s("server { listen 127.0.0.1:%%PORT_0%% ssl; root %%DIR%%/html; ssl_certificate %%DIR%%/a.crt; "
           "ssl_certificate_key %%DIR%%/a.key; ssl_session_tickets off; " + settings + " }", files);
  TlsBytes tls(TLS1_2_VERSION);
  RawClient c(s.port());
  c.send(tls.handshake(""));
  while (!tls.done()) {
    const std::string head = c.read(5);
    const std::size_t length = static_cast<unsigned char>(head[3]) * 256u + static_cast<unsigned char>(head[4]);
    const std::string answer = tls.handshake(head + c.read(length));
    if (!answer.empty()) c.send(answer);
  }
  c.send(tls.seal("GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  return records(c, tls, 100'000);
}

}  // namespace

TEST_CASE("records are short at first, then as long as they may be") {
  const auto lengths = records("");
  for (std::size_t i = 0; i < 3; ++i) CHECK(lengths.at(i) < 4200);
  CHECK(lengths.at(3) > 16'000);
}

TEST_CASE("ssl_buffer_size is the longest record") {
  for (std::size_t length : records("ssl_buffer_size 4k;")) CHECK(length < 4200);
  CHECK(records("ssl_buffer_size 16k;").at(0) > 16'000);
}

TEST_CASE("a client that takes short records alone (max_fragment_length) gets them") {
  const auto made = make_certificate({"localhost"});
  Files files{{"html/f", std::string(100'000, 'f')}};
  add(files, "a", made);
  Server s("server { listen 127.0.0.1:%%PORT_0%% ssl; ssl_certificate a.crt; ssl_certificate_key a.key; root %%DIR%%/html; }", files);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsOptions options = only(to("localhost"), version);
    options.max_fragment = TLSEXT_max_fragment_length_512;
    RawClient c(s.port());
    c.start_tls(options);
    c.send("GET /f HTTP/1.1\r\nHost: localhost\r\n\r\n");
    CHECK(c.read_response().body.size() == 100'000);
  }
}
