#include "seawall/upstream/ring.h"

#include <zlib.h>

#include <algorithm>
#include <string>

#include "seawall/base/text.h"

namespace seawall {
namespace {

constexpr int kPointsPerWeight = 160;

std::uint32_t crc(std::uint32_t from, std::string_view bytes) {
  return static_cast<std::uint32_t>(::crc32(from, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

// HOST \0 PORT of the line as written; a last part that is no number is none.
std::string hashed_name(const UpstreamServer& server) {
  const std::string& text = server.text;
  if (server.url.is_unix) return text.substr(5) + '\0';
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || !parse_decimal(std::string_view(text).substr(colon + 1))) return text + '\0';
  return text.substr(0, colon) + '\0' + text.substr(colon + 1);
}

}  // namespace

std::vector<std::pair<std::uint32_t, const UpstreamServer*>> make_ring(const Group& group) {
  std::vector<std::pair<std::uint32_t, const UpstreamServer*>> ring;
  for (const Peer& peer : group.primary) {
    const std::uint32_t base = crc(0, hashed_name(*peer.server));
    std::uint32_t hash = 0;
    for (int i = 0; i < peer.server->weight * kPointsPerWeight; ++i) {
      const char before[4] = {static_cast<char>(hash), static_cast<char>(hash >> 8), static_cast<char>(hash >> 16),
                              static_cast<char>(hash >> 24)};
      hash = crc(base, {before, sizeof before});
      ring.emplace_back(hash, peer.server);
    }
  }
  const auto by_hash = [](const auto& a, const auto& b) { return a.first < b.first; };
  const auto same_hash = [](const auto& a, const auto& b) { return a.first == b.first; };
  std::stable_sort(ring.begin(), ring.end(), by_hash);
  ring.erase(std::unique(ring.begin(), ring.end(), same_hash), ring.end());
  return ring;
}

}  // namespace seawall
