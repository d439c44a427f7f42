// What a proxy tells of whom it speaks for, in whatever field: a list of addresses, the nearest last. Pure.
#pragma once
#include <functional>
#include <optional>
#include <string_view>

#include "seawall/http/headers.h"
#include "seawall/net/address.h"

namespace seawall::realip {

// Hands over the addresses of a list "192.0.2.1, 2001:db8::1", from the last one to the first, until `take` has enough
// (false). Nothing: one that is none, behind which nothing counts.
using Take = std::function<bool(std::optional<Address>)>;
// False when `take` had enough.
bool for_each_in_list(std::string_view list, const Take& take);
// The same for a Forwarded field (RFC 7239): the "for" of each element.
bool for_each_in_forwarded(std::string_view field, const Take& take);

}  // namespace seawall::realip
