#include "seawall/net/proxy_header.h"

#include <algorithm>
#include <span>

#include "seawall/base/text.h"

namespace seawall {
namespace {

constexpr std::string_view kSignature2("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kLongestText = 107;

ProxyHeader broken() {
  ProxyHeader header;
  header.state = ProxyHeader::broken;
  return header;
}

std::optional<std::uint16_t> port_of(std::string_view text) {
  const auto number = parse_decimal(text);
  if (!number || *number > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

std::string_view next_word(std::string_view& rest) {
  const auto space = rest.find(' ');
  const auto word = rest.substr(0, space);
  rest = space == std::string_view::npos ? std::string_view{} : rest.substr(space + 1);
  return word;
}

// "PROXY TCP4 SOURCE DESTINATION SPORT DPORT\r\n" or "PROXY UNKNOWN ...\r\n".
ProxyHeader parse_text(std::string_view bytes) {
  const auto end = bytes.substr(0, kLongestText).find("\r\n");
  if (end == std::string_view::npos) return bytes.size() >= kLongestText ? broken() : ProxyHeader();
  ProxyHeader header;
  header.size = end + 2;
  std::string_view rest = bytes.substr(6, end - 6);
  const auto family = next_word(rest);
  header.state = ProxyHeader::complete;
  if (family == "UNKNOWN") return header;
  if ((family != "TCP4" && family != "TCP6") || rest.ends_with(' ')) return broken();
  const auto source = next_word(rest), destination = next_word(rest);
  const auto source_port = port_of(next_word(rest)), destination_port = port_of(next_word(rest));
  if (!source_port || !destination_port || !rest.empty()) return broken();
  const auto from = Address::parse_ip(source, *source_port), to = Address::parse_ip(destination, *destination_port);
  const int wanted = family == "TCP4" ? AF_INET : AF_INET6;
  if (!from || !to || from->family() != wanted || to->family() != wanted) return broken();
  header.source = *from;
  header.destination = *to;
  return header;
}

std::uint16_t two_bytes(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[at]) << 8 | static_cast<unsigned char>(bytes[at + 1]));
}

ProxyHeader parse_binary(std::string_view bytes) {
  if (bytes.size() < 16) return ProxyHeader();
  const int version = static_cast<unsigned char>(bytes[12]) >> 4, command = bytes[12] & 15;
  const int family = static_cast<unsigned char>(bytes[13]) >> 4;
  const std::size_t length = two_bytes(bytes, 14);
  if (version != 2 || command > 1 || 16 + length > kLongestProxyHeader) return broken();
  if (bytes.size() < 16 + length) return ProxyHeader();
  ProxyHeader header;
  header.state = ProxyHeader::complete;
  header.size = 16 + length;
  if (command == 0 || (family != 1 && family != 2)) return header;  // LOCAL, or a family that is not IP
  const std::size_t width = family == 1 ? 4 : 16;
  if (length < 2 * width + 4) return broken();
  const std::size_t ports = 16 + 2 * width;
  header.source = *Address::from_bytes(bytes.substr(16, width), two_bytes(bytes, ports));
  header.destination = *Address::from_bytes(bytes.substr(16 + width, width), two_bytes(bytes, ports + 2));
  header.tlvs = bytes.substr(ports + 4, header.size - ports - 4);
  return header;
}

// The value behind a TLV's type; see ProxyTlv.
class Type {
 public:
  std::string_view name;
  unsigned number;
};
constexpr Type kTypes[] = {{"alpn", 0x01}, {"authority", 0x02}, {"unique_id", 0x05}, {"ssl", 0x20}, {"netns", 0x30}};
constexpr Type kSslTypes[] = {{"version", 0x21}, {"cn", 0x22}, {"cipher", 0x23}, {"sig_alg", 0x24}, {"key_alg", 0x25}};

std::optional<unsigned> number_of(std::string_view name, std::span<const Type> types) {
  if (name.starts_with("0x")) {
    const auto number = parse_hex(name.substr(2));
    if (!number || *number > 255) return std::nullopt;
    return static_cast<unsigned>(*number);
  }
  const auto known = std::find_if(types.begin(), types.end(), [&](const Type& type) { return type.name == name; });
  if (known == types.end()) return std::nullopt;
  return known->number;
}

ProxyTlv look_up(std::string_view tlvs, std::string_view name, std::span<const Type> types) {
  ProxyTlv tlv;
  const auto wanted = number_of(name, types);
  if (!wanted) {
    tlv.state = ProxyTlv::unknown_name;
    return tlv;
  }
  while (!tlvs.empty()) {
    const std::size_t length = tlvs.size() < 3 ? 0 : two_bytes(tlvs, 1);
    if (tlvs.size() < 3 + length) {
      tlv.state = ProxyTlv::broken;
      return tlv;
    }
    if (static_cast<unsigned char>(tlvs[0]) == *wanted) {
      tlv.state = ProxyTlv::found;
      tlv.value = tlvs.substr(3, length);
      return tlv;
    }
    tlvs.remove_prefix(3 + length);
  }
  return tlv;
}

// In front of the TLVs inside the TLV ssl: a byte of flags, and four that say whether the client's certificate was verified (0: it was).
constexpr std::size_t kSslHead = 5;

}  // namespace

ProxyTlv find_proxy_tlv(std::string_view tlvs, std::string_view name) {
  if (!name.starts_with("ssl_")) return look_up(tlvs, name, kTypes);
  name.remove_prefix(4);
  ProxyTlv ssl = look_up(tlvs, "ssl", kTypes);
  if (ssl.state != ProxyTlv::found) return ssl;
  if (ssl.value.size() < kSslHead) {
    ssl.state = ProxyTlv::broken;
    return ssl;
  }
  if (name != "verify") return look_up(std::string_view(ssl.value).substr(kSslHead), name, kSslTypes);
  const std::uint32_t verify = static_cast<std::uint32_t>(two_bytes(ssl.value, 1)) << 16 | two_bytes(ssl.value, 3);
  ssl.value = std::to_string(verify);
  return ssl;
}

std::string write_proxy_header(int version, const Address& from, const Address& to) {
  const bool known = from.family() == to.family() && (from.family() == AF_INET || from.family() == AF_INET6);
  const bool v6 = known && from.family() == AF_INET6;
  if (version == 1) {
    if (!known) return "PROXY UNKNOWN\r\n";
    return std::string(v6 ? "PROXY TCP6 " : "PROXY TCP4 ") + from.text() + " " + to.text() + " " + std::to_string(from.port()) + " " +
           std::to_string(to.port()) + "\r\n";
  }
  const auto two = [](std::size_t n) { return std::string{static_cast<char>(n >> 8), static_cast<char>(n & 255)}; };
  const std::string addresses = known ? from.binary() + to.binary() + two(from.port()) + two(to.port()) : std::string();
  std::string header(kSignature2);
  header += known ? '\x21' : '\x20';  // version 2: PROXY, LOCAL
  header += v6 ? '\x21' : known ? '\x11' : '\0';
  return header + two(addresses.size()) + addresses;
}

ProxyHeader parse_proxy_header(std::string_view bytes) {
  const auto begins = [&](std::string_view with) {
    const auto n = std::min(bytes.size(), with.size());
    return bytes.substr(0, n) == with.substr(0, n);
  };
  if (begins(kSignature2)) return bytes.size() < kSignature2.size() ? ProxyHeader() : parse_binary(bytes);
  if (begins("PROXY ")) return bytes.size() < 6 ? ProxyHeader() : parse_text(bytes);
  return broken();
}

}  // namespace seawall
