#include "seawall/net/proxy_header.h"

#include <string>

#include "catch.h"

using namespace seawall;

namespace {

std::string text_of(const ProxyHeader& header) {
  if (header.state == ProxyHeader::incomplete) return "incomplete";
  if (header.state == ProxyHeader::broken) return "broken";
  const std::string size = std::to_string(header.size) + " ";
  if (header.source.empty()) return size + "unknown";
  return size + header.source.text_with_port() + " " + header.destination.text_with_port();
}

std::string parsed(std::string_view bytes) { return text_of(parse_proxy_header(bytes)); }

// A version 2 header: the byte of version and command, the one of family and protocol, and what follows the length.
std::string binary(int version_command, int family_protocol, std::string_view rest, int length = -1) {
  std::string bytes("\r\n\r\n\0\r\nQUIT\n", 12);
  const std::size_t n = length < 0 ? rest.size() : static_cast<std::size_t>(length);
  bytes += static_cast<char>(version_command);
  bytes += static_cast<char>(family_protocol);
  bytes += static_cast<char>(n >> 8);
  bytes += static_cast<char>(n & 255);
  return bytes.append(rest);
}

const std::string kIpv4("\x0a\0\0\1\x0a\0\0\2\x30\x39\x01\xbb", 12);  // 10.0.0.1:12345 to 10.0.0.2:443
const std::string kIpv6 = std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') + "\1" + std::string(15, '\0') +
                          "\1" + std::string("\x30\x39\x01\xbb", 4);

}  // namespace

TEST_CASE("version 1: addresses and ports, or UNKNOWN and whatever follows it") {
  CHECK(parsed("PROXY TCP4 10.0.0.1 10.0.0.2 12345 443\r\n") == "40 10.0.0.1:12345 10.0.0.2:443");
  CHECK(parsed("PROXY TCP4 10.0.0.1 10.0.0.2 12345 443\r\nGET / HTTP/1.1\r\n") == "40 10.0.0.1:12345 10.0.0.2:443");
  CHECK(parsed("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n") ==
        "56 255.255.255.255:65535 255.255.255.255:65535");
  CHECK(parsed("PROXY TCP6 2001:db8::1 ::1 1 2\r\n") == "32 [2001:db8::1]:1 [::1]:2");
  CHECK(parsed("PROXY UNKNOWN\r\n") == "15 unknown");
  CHECK(parsed("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n") == "59 unknown");
}

TEST_CASE("version 1: the longest line the protocol knows is taken, a longer one is not waited for") {
  const std::string longest = "PROXY UNKNOWN " + std::string(91, 'x') + "\r\n";
  REQUIRE(longest.size() == 107);
  CHECK(parsed(longest) == "107 unknown");
  CHECK(parsed(longest.substr(0, 106)) == "incomplete");
  CHECK(parsed("PROXY UNKNOWN " + std::string(92, 'x') + "\r\n") == "broken");
  CHECK(parsed("PROXY UNKNOWN " + std::string(93, 'x')) == "broken");
}

TEST_CASE("version 1: anything else is broken") {
  for (const char* line :
       {"PROXY TCP4 10.0.0.1 10.0.0.2 12345\r\n", "PROXY TCP4 10.0.0.1 10.0.0.2 12345 443 \r\n",
        "PROXY TCP4 10.0.0.1 10.0.0.2 12345 443 x\r\n", "PROXY TCP4  10.0.0.1 10.0.0.2 12345 443\r\n",
        "PROXY TCP4 10.0.0.1 10.0.0.2 123456 443\r\n", "PROXY TCP4 10.0.0.1 10.0.0.2 -1 443\r\n",
        "PROXY TCP4 10.0.0.1 10.0.0.2 +1 443\r\n", "PROXY TCP4 10.0.0.1 10.0.0.2 1a 443\r\n",
        "PROXY TCP4 10.0.0.256 10.0.0.2 1 2\r\n", "PROXY TCP4 ::1 ::1 1 2\r\n", "PROXY TCP6 10.0.0.1 10.0.0.2 1 2\r\n",
        "PROXY TCP6 ::1 10.0.0.2 1 2\r\n", "PROXY TCP5 10.0.0.1 10.0.0.2 1 2\r\n", "PROXY tcp4 10.0.0.1 10.0.0.2 1 2\r\n",
        "PROXY TCP4 localhost 10.0.0.2 1 2\r\n", "PROXY TCP4 10.0.0.1:5 10.0.0.2 1 2\r\n", "PROXY \r\n", "PROXY  \r\n",
        "PROXY\r\n", "PROXYTCP4 10.0.0.1 10.0.0.2 1 2\r\n", "proxy TCP4 10.0.0.1 10.0.0.2 1 2\r\n",
        "GET / HTTP/1.1\r\n", " PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n", "\r\nPROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n",
        "\x16\x03\x01"})
    CHECK((parsed(line) + " " + line) == ("broken " + std::string(line)));
  CHECK(parsed(std::string_view("PROXY TCP4 10.0.0.1\0 10.0.0.2 1 2\r\n", 36)) == "broken");
}

TEST_CASE("version 1: a bare LF does not end it") {
  CHECK(parsed("PROXY TCP4 10.0.0.1 10.0.0.2 1 2\n") == "incomplete");
  CHECK(parsed("PROXY UNKNOWN\nGET / HTTP/1.1\r\n") == "broken");
}

TEST_CASE("version 2: IPv4, IPv6, what is neither, and LOCAL") {
  CHECK(parsed(binary(0x21, 0x11, kIpv4)) == "28 10.0.0.1:12345 10.0.0.2:443");
  CHECK(parsed(binary(0x21, 0x12, kIpv4)) == "28 10.0.0.1:12345 10.0.0.2:443");  // datagrams: the addresses still count
  CHECK(parsed(binary(0x21, 0x21, kIpv6)) == "52 [2001:db8::1]:12345 [::1]:443");
  CHECK(parsed(binary(0x20, 0x11, kIpv4)) == "28 unknown");
  CHECK(parsed(binary(0x20, 0x00, "")) == "16 unknown");
  CHECK(parsed(binary(0x21, 0x00, "")) == "16 unknown");
  CHECK(parsed(binary(0x21, 0x31, std::string(216, 'u'))) == "232 unknown");
}

TEST_CASE("version 2: TLVs behind the addresses are skipped") {
  const std::string tlv("\x03\x00\x04\xde\xad\xbe\xef", 7);
  CHECK(parsed(binary(0x21, 0x11, kIpv4 + tlv)) == "35 10.0.0.1:12345 10.0.0.2:443");
  CHECK(parsed(binary(0x21, 0x11, kIpv4 + tlv) + "GET") == "35 10.0.0.1:12345 10.0.0.2:443");
  CHECK(parsed(binary(0x21, 0x11, kIpv4 + std::string(kLongestProxyHeader - 28, 't'))) ==
        "4096 10.0.0.1:12345 10.0.0.2:443");
}

TEST_CASE("version 2: broken ones") {
  CHECK(parsed(binary(0x11, 0x11, kIpv4)) == "broken");                    // version 1 in binary
  CHECK(parsed(binary(0x22, 0x11, kIpv4)) == "broken");                    // an unknown command
  CHECK(parsed(binary(0x21, 0x11, kIpv4.substr(0, 11))) == "broken");      // too short for its family
  CHECK(parsed(binary(0x21, 0x21, kIpv4)) == "broken");
  CHECK(parsed(binary(0x21, 0x11, "")) == "broken");
  CHECK(parsed(binary(0x21, 0x11, "", 65535)) == "broken");                // more than is ever read
  CHECK(parsed(binary(0x21, 0x11, "", static_cast<int>(kLongestProxyHeader) - 15)) == "broken");
}

TEST_CASE("every beginning of a header is incomplete, and only the whole of it is complete") {
  for (const std::string& whole : {std::string("PROXY TCP4 10.0.0.1 10.0.0.2 12345 443\r\n"), std::string("PROXY UNKNOWN\r\n"),
                                   binary(0x21, 0x11, kIpv4), binary(0x21, 0x21, kIpv6), binary(0x20, 0, "")}) {
    for (std::size_t n = 0; n < whole.size(); ++n) CHECK(parsed(std::string_view(whole).substr(0, n)) == "incomplete");
    CHECK(parse_proxy_header(whole).state == ProxyHeader::complete);
    CHECK(parse_proxy_header(whole).size == whole.size());
  }
}

namespace {

std::string tlv(int type, std::string_view value) {
  return std::string{static_cast<char>(type), static_cast<char>(value.size() >> 8), static_cast<char>(value.size() & 255)}.append(value);
}

std::string found(std::string_view tlvs, std::string_view name) {
  const ProxyTlv tlv = find_proxy_tlv(tlvs, name);
  switch (tlv.state) {
    case ProxyTlv::found: return tlv.value;
    case ProxyTlv::absent: return "(absent)";
    case ProxyTlv::unknown_name: return "(unknown name)";
    case ProxyTlv::broken: break;
  }
  return "(broken)";
}

}  // namespace

TEST_CASE("version 2: TLVs behind the addresses, by name and by number") {
  const std::string ssl = std::string("\x07\0\0\x01\x02", 5) + tlv(0x21, "TLSv1.3") + tlv(0x22, "client") + tlv(0x23, "AES") + tlv(0x24, "SHA256") +
                          tlv(0x25, "RSA2048") + tlv(0xee, "own");
  const std::string tlvs = tlv(0x01, "h2") + tlv(0x04, "xx") + tlv(0x02, "a.test") + tlv(0x05, "id") + tlv(0x20, ssl) + tlv(0x30, "ns") + tlv(0xea, "") + tlv(0x01, "second");
  const std::string bytes = binary(0x21, 0x11, kIpv4 + tlvs) + "GET / HTTP/1.1\r\n";
  const ProxyHeader header = parse_proxy_header(bytes);
  REQUIRE(header.state == ProxyHeader::complete);
  CHECK(header.tlvs == tlvs);
  CHECK(parse_proxy_header(binary(0x21, 0x21, kIpv6 + tlvs)).tlvs.size() == tlvs.size());
  for (const auto& [name, value] : {std::pair("alpn", "h2"), {"authority", "a.test"}, {"unique_id", "id"}, {"netns", "ns"}, {"0x4", "xx"}, {"0x04", "xx"},
                                    {"0xea", ""}, {"0x99", "(absent)"}, {"0x100", "(unknown name)"}, {"0x", "(unknown name)"}, {"crc", "(unknown name)"},
                                    {"ssl_version", "TLSv1.3"}, {"ssl_cn", "client"}, {"ssl_cipher", "AES"}, {"ssl_sig_alg", "SHA256"},
                                    {"ssl_key_alg", "RSA2048"}, {"ssl_0xee", "own"}, {"ssl_0x01", "(absent)"}, {"ssl_verify", "258"},
                                    {"ssl_alpn", "(unknown name)"}}) {
    INFO(name);
    CHECK(found(tlvs, name) == value);
  }
  CHECK(found(tlvs, "ssl") == ssl);
  CHECK(found("", "alpn") == "(absent)");
  CHECK(found("", "ssl_verify") == "(absent)");
}

TEST_CASE("TLVs that end in the middle are broken, wherever that is") {
  const std::string tlvs = tlv(0x03, "crc") + tlv(0x20, "\x01" + std::string(4, '\0') + tlv(0x22, "name"));
  for (std::size_t n = 1; n < tlvs.size(); ++n) {
    INFO(n);
    CHECK(found(std::string(tlvs, 0, n), "ssl_cn") == (n == 6 ? "(absent)" : "(broken)"));
  }
  CHECK(found(tlvs, "ssl_cn") == "name");
  CHECK(found(tlv(0x20, "abcd"), "ssl_verify") == "(broken)");
  CHECK(found(tlv(0x20, std::string(5, 'a') + "\x22\xff\xff"), "ssl_cn") == "(broken)");
}

TEST_CASE("a PROXY header that we write says what one that we read says") {
  const auto address = [](const char* text) { return *Address::parse(text); };
  CHECK(write_proxy_header(1, address("192.0.2.1:5000"), address("192.0.2.2:80")) == "PROXY TCP4 192.0.2.1 192.0.2.2 5000 80\r\n");
  CHECK(write_proxy_header(1, address("[2001:db8::1]:5000"), address("[::1]:80")) == "PROXY TCP6 2001:db8::1 ::1 5000 80\r\n");
  CHECK(write_proxy_header(1, address("unix:/a"), address("[::1]:80")) == "PROXY UNKNOWN\r\n");
  for (const int version : {1, 2}) {
    for (const auto& [from, to] : {std::pair("192.0.2.1:5000", "192.0.2.2:80"), std::pair("[2001:db8::1]:5000", "[::1]:80")}) {
      const ProxyHeader read = parse_proxy_header(write_proxy_header(version, address(from), address(to)));
      CHECK(read.state == ProxyHeader::complete);
      CHECK(read.source == address(from));
      CHECK(read.destination == address(to));
    }
    for (const auto& [from, to] : {std::pair("192.0.2.1:5000", "[::1]:80"), std::pair("unix:/a", "unix:/b")}) {
      const ProxyHeader read = parse_proxy_header(write_proxy_header(version, address(from), address(to)));
      CHECK(read.state == ProxyHeader::complete);
      CHECK(read.source.empty());
    }
  }
}
