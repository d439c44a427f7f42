#include "seawall/upstream/upstream_counts.h"

#include <algorithm>
#include <array>
#include <string>

#include "seawall/base/shared_table.h"
#include "seawall/net/loop.h"
#include "seawall/observe/gathering.h"
#include "seawall/upstream/attempts.h"
#include "seawall/upstream/loop_upstreams.h"
#include "seawall/upstream/upstream_module.h"

namespace seawall {
namespace {

constexpr std::uint32_t kServers = 1000;
constexpr std::array<double, 11> kBounds = {.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5};  // seconds
constexpr std::array<const char*, 8> kResults = {"1xx", "2xx", "3xx", "4xx", "5xx", "failed", "timeout", "cancelled"};
constexpr std::array<const char*, 8> kStatuses = {"MISS", "BYPASS", "EXPIRED", "STALE", "UPDATING", "REVALIDATED", "HIT", "SCARCE"};

// The counts of one server.
constexpr int kRetries = kResults.size();
constexpr int kTimes = kRetries + 1;               // buckets, the last of which is open, and their sum in ns
constexpr int kCounts = kTimes + kBounds.size() + 2;

SharedTable& servers() {
  static SharedTable table(kServers, kCounts);
  return table;
}
SharedTable& caches() {
  static SharedTable table(kStatuses.size() * 2, 1);
  return table;
}

int index_of(TryResult result, int status) {
  constexpr int kClasses = 5;
  if (result == TryResult::answered) return std::clamp(status / 100, 1, kClasses) - 1;
  return kClasses - 1 + static_cast<int>(result);
}

// A peer's are looked up at its first try.
SharedCount* counts_of(const Group& group, const PeerState* peer) {
  if (SharedCount* const known = peer ? peer->counts.load(std::memory_order_relaxed) : nullptr) return known;
  std::string key;
  if (group.number >= 0) key.append(group.name).append("\n").append(peer ? peer->peer->name : "");
  SharedCount* const counts = servers().at(key);
  if (peer) peer->counts.store(counts, std::memory_order_relaxed);
  return counts;
}

void add_time(SharedCount* counts, std::int64_t nanoseconds) {
  const auto bound = std::lower_bound(kBounds.begin(), kBounds.end(), static_cast<double>(nanoseconds) / 1e9);
  counts[kTimes + (bound - kBounds.begin())].add();
  counts[kTimes + kBounds.size() + 1].add(static_cast<std::uint64_t>(std::max<std::int64_t>(0, nanoseconds)));
}

class Families {
 public:
  explicit Families(Gathering& out)
      : requests_(out.counter("seawall_upstream_requests", "Tries of upstream servers by class of the answer's status, or how they failed.")),
        retries_(out.counter("seawall_upstream_retries", "Tries that followed a failed one of the same request.")),
        times_(out.histogram("seawall_upstream_header_seconds", "Time from the choice of a server to the head of its answer.", kBounds)) {}

  void add(const std::string& upstream, const std::string& server, const SharedCount* counts) {
    for (std::size_t i = 0; i < kResults.size(); ++i)
      if (const auto n = counts[i].get())
        requests_.add(static_cast<double>(n), {{"upstream", upstream}, {"server", server}, {"result", kResults[i]}});
    if (const auto n = counts[kRetries].get()) retries_.add(static_cast<double>(n), {{"upstream", upstream}, {"server", server}});
    std::vector<std::uint64_t> buckets;
    for (std::size_t i = 0; i <= kBounds.size(); ++i) buckets.push_back(counts[kTimes + i].get() + (i ? buckets.back() : 0));
    if (buckets.back() == 0) return;
    times_.add(static_cast<double>(counts[kTimes + kBounds.size() + 1].get()) / 1e9, {{"upstream", upstream}, {"server", server}});
    times_.samples.back().buckets = std::move(buckets);
  }

 private:
  Family &requests_, &retries_, &times_;
};

bool is_well(const PeerState& peer, std::int64_t seconds) {
  const UpstreamServer& server = *peer.peer->server;
  const bool out = server.max_fails && peer.fails >= server.max_fails && seconds - peer.checked <= server.fail_timeout.count();
  return !server.down && !peer.failing && !out;
}

// As the loop that answers sees it; a group with a zone, as all do.
void collect_health(Gathering& out, const UpstreamConf& conf) {
  Family& up = out.gauge("seawall_upstream_up", "Whether requests are passed to the server at present.");
  Loop& loop = Loop::current();
  const std::int64_t seconds = loop.now() / 1'000'000'000;
  for (const auto& group : conf.groups) {
    Balancer& balancer = *LoopUpstreams::of(loop).group(*group).balancer;
    const auto guard = balancer.lock();
    for (const Tier* tier : {&balancer.primary, &balancer.backup})
      for (const auto& peer : tier->peers)
        up.add(balancer.single ? 1 - (peer->peer->server->down || peer->failing) : is_well(*peer, seconds),
               {{"upstream", group->name}, {"server", peer->peer->name}});
  }
}

}  // namespace

void prepare_upstream_counts() {
  servers();
  caches();
}

void count_attempt(const Group& group, const PeerState* peer, const Attempt& attempt, TryResult result, bool is_retry) {
  SharedCount* const counts = counts_of(group, peer);
  counts[index_of(result, attempt.status)].add();
  if (is_retry) counts[kRetries].add();
  if (result == TryResult::answered && attempt.header_time >= 0) add_time(counts, attempt.header_time);
}

void count_cache(const char* status) { caches().at(status)->add(); }

void collect_upstreams(Gathering& out, const UpstreamConf& conf) {
  collect_health(out, conf);
  Families families(out);
  servers().for_each([&](std::string_view key, const SharedCount* counts) {
    const auto cut = std::min(key.find('\n'), key.size());
    families.add(std::string(key.substr(0, cut)), std::string(key.substr(std::min(cut + 1, key.size()))), counts);
  });
  Family& looked_up = out.counter("seawall_cache_requests", "Requests for which a cache was asked, by what it had.");
  caches().for_each([&](std::string_view status, const SharedCount* n) {
    if (!status.empty()) looked_up.add(static_cast<double>(n->get()), {{"status", std::string(status)}});
  });
}

}  // namespace seawall
