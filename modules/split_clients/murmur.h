// MurmurHash2 (Austin Appleby, public domain), 32 bits, seeded with the length: nginx's, so that clients stay in the part they
// were in. Any thread.
#pragma once
#include <cstdint>
#include <string_view>

namespace seawall::split_clients {

std::uint32_t murmur2(std::string_view text);

}  // namespace seawall::split_clients
