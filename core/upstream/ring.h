// The ring of the consistent hash: a server that comes or goes moves only its own share of the keys. The points are those of
// nginx (and Cache::Memcached::Fast), so that a cluster may hold both. Start-up thread.
#pragma once
#include <cstdint>
#include <utility>
#include <vector>

#include "seawall/upstream/group.h"

namespace seawall {

// 160 points for each unit of weight, sorted by hash, none twice.
std::vector<std::pair<std::uint32_t, const UpstreamServer*>> make_ring(const Group& group);

}  // namespace seawall
