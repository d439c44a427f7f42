// The PROXY protocol's header. Input: bytes of a connection. A header is complete as soon as its last byte is there, and
// not before.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "seawall/net/proxy_header.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace seawall;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const ProxyHeader whole = parse_proxy_header(text);
  if (whole.state != ProxyHeader::complete) return 0;
  if (whole.size == 0 || whole.size > size) std::abort();
  if (parse_proxy_header(text.substr(0, whole.size)).state != ProxyHeader::complete) std::abort();
  if (parse_proxy_header(text.substr(0, whole.size - 1)).state == ProxyHeader::complete) std::abort();
  return 0;
}
