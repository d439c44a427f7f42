// The PROXY protocol's header, versions 1 (text) and 2 (binary), as the proxy sends it before anything else. Pure.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "seawall/base/export.h"
#include "seawall/net/address.h"

namespace seawall {

// Version 1 has at most 107 bytes; version 2 may have this, TLVs and all.
inline constexpr std::size_t kLongestProxyHeader = 4096;

class ProxyHeader {
 public:
  enum State { incomplete, complete, broken } state = incomplete;
  std::size_t size = 0;             // of a complete one
  Address source, destination;      // empty for UNKNOWN and LOCAL
  std::string_view tlvs;            // of version 2 with addresses: what follows them, in the bytes that were parsed
};

SEAWALL_API ProxyHeader parse_proxy_header(std::string_view bytes);

// Version 1 or 2, about a client at `from` that came to `to`. Where they are no IP addresses of one family: UNKNOWN, or LOCAL.
SEAWALL_API std::string write_proxy_header(int version, const Address& from, const Address& to);

// The value of one TLV by nginx's name for it: alpn, authority, unique_id, ssl, netns, 0xN; ssl_version, ssl_cn, ssl_cipher, ssl_sig_alg,
// ssl_key_alg, ssl_0xN and ssl_verify (a number) of what the TLV ssl holds.
class ProxyTlv {
 public:
  enum State { found, absent, unknown_name, broken } state = absent;
  std::string value;
};
SEAWALL_API ProxyTlv find_proxy_tlv(std::string_view tlvs, std::string_view name);

}  // namespace seawall
