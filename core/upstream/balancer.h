// Balancer: what is known of a group's peers at present, and PeerChoice: which of them one request tries, one after another.
// nginx's smooth weighted round robin and its rules for peers that fail. Of one loop, or (zone) of all behind a lock.
#pragma once
#include <cstdint>
#include <mutex>
#include <vector>

#include "seawall/upstream/group.h"

namespace seawall {

class Exchange;

class PeerState {
 public:
  explicit PeerState(const Peer& peer) : peer(&peer), effective_weight(peer.server->weight) {}
  const Peer* peer;
  int current_weight = 0, effective_weight;
  int fails = 0;
  int connections = 0;
  std::int64_t accessed = 0, checked = 0;  // seconds, monotonic: of the last failure; of the last try after it
};

// Peers that stand for each other: the primary ones or the backups.
class Tier {
 public:
  std::vector<PeerState> peers;
  int tries = 0;                // those that are not down
  std::int64_t weight = 0;      // of all together
};

class SEAWALL_API Balancer {
 public:
  explicit Balancer(const Group& group);
  const Group& group;
  Tier primary, backup;
  bool single = false;          // one peer and no backup: never out
  std::vector<std::pair<std::uint32_t, const UpstreamServer*>> ring;  // of the consistent hash, sorted
  std::mutex mutex;             // of a shared one
};

// How a try ended: the peer failed; it answered, but another one is to be asked (403, 404); it is done.
enum class Tried : std::uint8_t { done, next, failed };

class PeerChoice {
 public:
  PeerChoice(Balancer& balancer, Exchange& x);
  PeerChoice(const PeerChoice&) = delete;
  // The peer to try; null: no live upstreams. Counts as one of its connections until released.
  PeerState* next();
  // True when the peer has just been taken out for fail_timeout.
  bool release(PeerState& peer, Tried how);
  int tries;                    // left
  bool any_peers() const { return !balancer_.primary.peers.empty() || !balancer_.backup.peers.empty(); }

 private:
  std::unique_lock<std::mutex> lock();
  PeerState* pick();
  PeerState* round_robin(const UpstreamServer* only = nullptr);
  PeerState* least_connections();
  PeerState* by_address();
  PeerState* by_key();
  PeerState* by_ring();
  PeerState* at_random();
  bool usable(std::size_t index) const;
  PeerState* take(std::size_t index);

  Balancer& balancer_;
  Exchange& x_;
  Tier* tier_;
  std::vector<bool> tried_;
  std::uint32_t hash_ = 0;      // of the hashing methods, as it moves on
  int rehash_ = 0;
  std::int64_t now_ = 0;        // seconds
};

}  // namespace seawall
