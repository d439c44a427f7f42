// Cidr: a range of addresses as allow, set_real_ip_from and geo write it: "192.0.2.0/24", "2001:db8::/32", one address, or
// "unix:" for every unix socket. A value; any thread.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "seawall/net/address.h"

namespace seawall {

class SEAWALL_API Cidr {
 public:
  // Nothing for what has none of these forms.
  static std::optional<Cidr> parse(std::string_view text);

  // The text had bits behind the prefix; nginx warns and takes them for zeros.
  bool had_low_bits() const { return had_low_bits_; }
  int family() const { return family_; }  // AF_INET, AF_INET6, AF_UNIX
  // An IPv4 address inside IPv6 (::ffff:192.0.2.1, from a socket for both) is the IPv4 address, as in nginx.
  bool contains(const Address& address) const;

 private:
  using Bytes = std::array<std::uint8_t, 16>;
  int family_ = 0;
  int prefix_ = 0;  // bits
  Bytes network_{};
  bool had_low_bits_ = false;
};

}  // namespace seawall
