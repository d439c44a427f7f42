#include "seawall/config/hint.h"

#include <algorithm>
#include <vector>

namespace seawall {
namespace {

// Insertions, deletions, replacements and swaps of neighbours between two words.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> two_back(b.size() + 1), back(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) back[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({back[j] + 1, row[j - 1] + 1, back[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], two_back[j - 2] + 1);
    }
    two_back.swap(back);
    back.swap(row);
  }
  return back[b.size()];
}

}  // namespace

std::string nearest_name(std::string_view name, std::span<const std::string_view> known) {
  // One slip in short names, up to three in long ones: more would be guessing.
  std::size_t best = std::min<std::size_t>(3, name.size() / 3) + 1;
  std::string_view nearest;
  for (std::string_view candidate : known) {
    const std::size_t longer = std::max(candidate.size(), name.size()), shorter = std::min(candidate.size(), name.size());
    if (longer - shorter >= best) continue;
    if (const std::size_t d = distance(name, candidate); d < best) {
      best = d;
      nearest = candidate;
    }
  }
  return std::string(nearest);
}

}  // namespace seawall
