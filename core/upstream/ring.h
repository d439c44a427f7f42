// The ring of the consistent hash: a server that comes or goes moves only its own share of the keys. The points are those of
// nginx (and Cache::Memcached::Fast), so that a cluster may hold both. Under the lock of the tier's balancer.
#pragma once
#include <cstdint>
#include <utility>
#include <vector>

#include "seawall/base/export.h"

namespace seawall {

class Tier;

// 160 points for each unit of weight, sorted by hash, none twice: each with the number of a label, which the peers of that label
// get as their own.
std::vector<std::pair<std::uint32_t, std::uint32_t>> make_ring(Tier& tier);

}  // namespace seawall
