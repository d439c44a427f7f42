#include "seawall/upstream/ring.h"

#include <zlib.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>

#include "seawall/base/text.h"
#include "seawall/upstream/balancer.h"

namespace seawall {
namespace {

constexpr int kPointsPerWeight = 160;

std::uint32_t crc(std::uint32_t from, std::string_view bytes) {
  return static_cast<std::uint32_t>(::crc32(from, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

// HOST \0 PORT of the label; a last part that is no number is none.
std::string hashed_name(const std::string& label) {
  if (label.size() >= 5 && equals_ignoring_case(std::string_view(label).substr(0, 5), "unix:")) return label.substr(5) + '\0';
  const auto colon = label.rfind(':');
  if (colon == std::string::npos || !parse_decimal(std::string_view(label).substr(colon + 1))) return label + '\0';
  return label.substr(0, colon) + '\0' + label.substr(colon + 1);
}

}  // namespace

std::vector<std::pair<std::uint32_t, std::uint32_t>> make_ring(Tier& tier) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> ring;
  std::map<std::string_view, std::uint32_t> labels;
  for (const auto& state : tier.peers) {
    const Peer& peer = *state->peer;
    state->label = labels.try_emplace(peer.label, static_cast<std::uint32_t>(labels.size())).first->second;
    const std::uint32_t base = crc(0, hashed_name(peer.label));
    std::uint32_t hash = 0;
    for (int i = 0; i < peer.weight * kPointsPerWeight; ++i) {
      const char before[4] = {static_cast<char>(hash), static_cast<char>(hash >> 8), static_cast<char>(hash >> 16),
                              static_cast<char>(hash >> 24)};
      hash = crc(base, {before, sizeof before});
      ring.emplace_back(hash, state->label);
    }
  }
  const auto by_hash = [](const auto& a, const auto& b) { return a.first < b.first; };
  const auto same_hash = [](const auto& a, const auto& b) { return a.first == b.first; };
  std::stable_sort(ring.begin(), ring.end(), by_hash);
  ring.erase(std::unique(ring.begin(), ring.end(), same_hash), ring.end());
  return ring;
}

}  // namespace seawall
