// Answers of DNS servers. Input: the kind asked for (one byte), a message.
#include <cstdint>
#include <string_view>

#include "seawall/net/dns_answer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  using seawall::DnsType;
  constexpr DnsType types[] = {DnsType::a, DnsType::aaaa, DnsType::srv, DnsType::cname};
  const std::string_view message(reinterpret_cast<const char*>(data) + 1, size - 1);
  (void)seawall::DnsAnswer::parse(message, types[data[0] % 4]);
  return 0;
}
