#include "talkers.h"

#include <algorithm>
#include <set>

namespace seawall::status {
namespace {

// Those of all loops.
class All {
 public:
  std::mutex mutex;
  std::set<Talkers*> talkers;
};

All& all() {
  static All every;
  return every;
}

}  // namespace

Talkers::Talkers() {
  const std::lock_guard lock(all().mutex);
  all().talkers.insert(this);
}

Talkers::~Talkers() {
  const std::lock_guard lock(all().mutex);
  all().talkers.erase(this);
}

void Talkers::make_room(Talker& newcomer) {
  if (known_.size() < kKept) return;
  const auto least = std::min_element(known_.begin(), known_.end(),
                                      [](const auto& a, const auto& b) { return a.second.requests < b.second.requests; });
  newcomer.requests = least->second.requests;
  known_.erase(least);
}

void Talkers::count(const Address& client, std::uint64_t bytes) {
  std::string key = client.binary();
  const std::lock_guard lock(mutex_);
  auto found = known_.find(key);
  if (found == known_.end()) {
    Talker newcomer;
    newcomer.address = client.text();
    make_room(newcomer);
    found = known_.emplace(std::move(key), std::move(newcomer)).first;
  }
  ++found->second.requests;
  found->second.bytes += bytes;
}

std::vector<Talker> Talkers::top(std::size_t most) {
  std::map<std::string, Talker> sums;
  {
    const std::lock_guard lock(all().mutex);
    for (Talkers* of_loop : all().talkers) {
      const std::lock_guard inner(of_loop->mutex_);
      for (const auto& [key, talker] : of_loop->known_) {
        Talker& sum = sums[key];
        sum.address = talker.address;
        sum.requests += talker.requests;
        sum.bytes += talker.bytes;
      }
    }
  }
  std::vector<Talker> top;
  for (auto& [key, talker] : sums) top.push_back(std::move(talker));
  std::sort(top.begin(), top.end(), [](const Talker& a, const Talker& b) { return a.requests > b.requests; });
  if (top.size() > most) top.resize(most);
  return top;
}

}  // namespace seawall::status
