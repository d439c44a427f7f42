// Who sent a request through proxies: from the values of X-Forwarded-For, as nginx reads them for realip and geo. Any loop.
#pragma once
#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "seawall/net/address.h"

namespace seawall {

// Walks the addresses from the last to the first for as long as `trusts` says that who has written them may be believed; one
// step, or with `recursive` until an address that is not trusted. `values` are the field's, in the order received; a text that is
// no address ends the walk. Nothing: `from` itself is not trusted, or the last text is no address.
SEAWALL_API std::optional<Address> forwarded_address(const Address& from, std::span<const std::string_view> values,
                                                     const std::function<bool(const Address&)>& trusts, bool recursive);

}  // namespace seawall
