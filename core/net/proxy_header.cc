#include "seawall/net/proxy_header.h"

#include <algorithm>

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
  return header;
}

}  // namespace

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
