// $apr1$, the hash that Apache's htpasswd makes: MD5-crypt under a name of its own, 1000 rounds. Any thread.
#pragma once
#include <string>
#include <string_view>

namespace seawall::auth_basic {

// The whole text, "$apr1$salt$hash"; `setting` is what follows "$apr1$": a salt of up to 8 bytes, up to the next '$'.
std::string apr1(std::string_view password, std::string_view setting);

}  // namespace seawall::auth_basic
