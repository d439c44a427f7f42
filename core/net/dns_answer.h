// DnsAnswer: what a DNS server has answered to a question (RFC 1035): the records of the kind asked for, or the name that the one
// asked for is an alias of. Pure; any thread.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "seawall/base/export.h"
#include "seawall/base/result.h"
#include "seawall/net/address.h"

namespace seawall {

enum class DnsType : std::uint16_t { a = 1, cname = 5, aaaa = 28, srv = 33 };

// RFC 2782.
class ServiceRecord {
 public:
  std::uint16_t priority = 0, weight = 0, port = 0;
  std::string host;
};

class SEAWALL_API DnsAnswer {
 public:
  // A message whose response code is 0. Errors: bad_request for one that is none.
  static Result<DnsAnswer> parse(std::string_view message, DnsType type);

  std::vector<Address> addresses;       // without a port, as often as they are said
  std::vector<ServiceRecord> services;
  std::string alias;                    // the last CNAME's; empty: none
  std::int64_t ttl = INT32_MAX;         // seconds: the least of the records above
};

}  // namespace seawall
