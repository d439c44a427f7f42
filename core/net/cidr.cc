#include "seawall/net/cidr.h"

#include <cstring>

#include "seawall/base/text.h"

namespace seawall {
namespace {

class Number {
 public:
  int family;
  const std::uint8_t* bytes;
};

// The bytes of an IP address as it is compared; no bytes for other addresses.
Number number_of(const Address& address) {
  if (address.family() == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address.data());
    return {AF_INET, reinterpret_cast<const std::uint8_t*>(&v4->sin_addr)};
  }
  if (address.family() != AF_INET6) return {address.family(), nullptr};
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address.data());
  if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) return {AF_INET, v6->sin6_addr.s6_addr + 12};
  return {AF_INET6, v6->sin6_addr.s6_addr};
}

std::uint8_t mask_of(int bits) { return static_cast<std::uint8_t>(0xff00 >> bits); }

}  // namespace

std::optional<Cidr> Cidr::parse(std::string_view text) {
  Cidr cidr;
  if (text == "unix:") {
    cidr.family_ = AF_UNIX;
    return cidr;
  }
  const auto slash = text.find('/');
  const auto address = Address::parse_ip(text.substr(0, slash));
  if (!address || text.find('%') != std::string_view::npos) return std::nullopt;
  const std::string bytes = address->binary();
  const auto bits = static_cast<int>(bytes.size()) * 8;
  cidr.family_ = address->family();
  cidr.prefix_ = bits;
  if (slash != std::string_view::npos) {
    const auto prefix = parse_decimal(text.substr(slash + 1));
    if (!prefix || *prefix > static_cast<std::uint64_t>(bits)) return std::nullopt;
    cidr.prefix_ = static_cast<int>(*prefix);
  }
  for (int at = 0; at < bits; at += 8) {
    const auto byte = static_cast<std::uint8_t>(bytes[static_cast<std::size_t>(at / 8)]);
    const int left = cidr.prefix_ - at;
    const std::uint8_t mask = left >= 8 ? 0xff : left <= 0 ? 0 : mask_of(left);
    cidr.network_[static_cast<std::size_t>(at / 8)] = byte & mask;
    if (byte & ~mask) cidr.had_low_bits_ = true;
  }
  return cidr;
}

bool Cidr::contains(const Address& address) const {
  const Number number = number_of(address);
  if (number.family != family_) return false;
  if (!number.bytes) return family_ == AF_UNIX;
  const auto whole = static_cast<std::size_t>(prefix_ / 8);
  if (std::memcmp(number.bytes, network_.data(), whole) != 0) return false;
  const int rest = prefix_ % 8;
  return rest == 0 || (number.bytes[whole] & mask_of(rest)) == network_[whole];
}

}  // namespace seawall
