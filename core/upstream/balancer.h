// Balancer: what is known of a group's peers at present, and PeerChoice: which of them one request tries, one after another.
// nginx's smooth weighted round robin and its rules for peers that fail. Of one loop, or (zone) of all behind a lock.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "seawall/async/event.h"
#include "seawall/upstream/group.h"

namespace seawall {

class Exchange;
class Loop;
class SharedCount;

class PeerState {
 public:
  PeerState(const Peer& peer, std::unique_ptr<const Peer> own = {})
      : peer(&peer), own(std::move(own)), effective_weight(peer.weight) {}
  const Peer* const peer;
  const std::unique_ptr<const Peer> own;   // one that was found at run time; else the group's
  std::int64_t current_weight = 0;
  int effective_weight;
  int fails = 0;
  int connections = 0;
  std::int64_t accessed = 0, checked = 0;  // seconds, monotonic: of the last failure; of the last try after it
  std::int64_t back_since = 0;             // ns: its weight grows from here (slow_start); 0: it is what it is
  std::uint32_t label = 0;                 // index of Peer::label among those of its tier
  std::uint32_t failing = 0;               // a bit for each health check that says so
  mutable std::atomic<SharedCount*> counts = nullptr;  // of all generations; null: not looked up yet (upstream_counts.h)
  bool gone = false;                       // its name has other addresses now: it ends with its last connection

  // least_time, ms as nginx counts them: averages, and those of requests under way.
  std::int64_t header_time = 0, response_time = 0, inflight_time = 0, inflight_last = 0, inflight_changed = 0;
  int inflight = 0;
};

// Peers that stand for each other: the primary ones or the backups.
class Tier {
 public:
  std::vector<std::unique_ptr<PeerState>> peers;
  int tries = 0;                // those that are not down
  std::int64_t weight = 0;      // of all together
};

class PeerWatch;

class SEAWALL_API Balancer {
 public:
  explicit Balancer(const Group& group);
  ~Balancer();
  const Group& group;
  const bool changes;           // names are asked for at run time
  const bool starts_slowly;     // some of its servers
  Tier primary, backup;
  bool single = false;          // one peer and no backup: never out
  std::vector<std::pair<std::uint32_t, std::uint32_t>> ring;  // of the consistent hash: point, label; sorted by point
  std::uint64_t version = 1;    // another one with each peer that comes or goes
  int unanswered = 0;           // servers whose names nobody has answered for yet
  std::mutex mutex;             // of a shared one

  std::unique_lock<std::mutex> lock() { return group.shared ? std::unique_lock(mutex) : std::unique_lock<std::mutex>(); }
  // The peers of `server` are these now (the second: as backups). Those it had and has stay as they are. Takes the lock.
  void replace(const UpstreamServer& server, std::vector<Peer> primary, std::vector<Peer> backup);
  // It has been asked for, and there is no news. Takes the lock.
  void heard_of(const UpstreamServer& server);
  // There are no peers yet, as names have not been answered for. Takes the lock.
  bool awaits_names();
  // Those of now. Takes the lock.
  std::vector<Peer> peers();
  // What a health check of the group says of a peer. gone: it is none of the group's any more. Takes the lock.
  enum class Told : std::uint8_t { same, changed, gone };
  Told set_failing(const Peer& peer, int check, bool failing, std::int64_t now);
  // A peer is back, after having been out. Under the lock.
  void is_back(PeerState& peer, std::int64_t now);
  // Wakes all who watch. Not under the lock.
  void tell_watchers();

 private:
  friend class PeerChoice;
  friend class PeerWatch;
  void replace(Tier& tier, const UpstreamServer& server, std::vector<Peer> peers);
  void count_up();
  void bury(PeerState& peer);
  PeerState* find(const Peer& peer);
  std::vector<std::unique_ptr<PeerState>> leaving_;   // gone, and still in use
  std::vector<const UpstreamServer*> answered_;
  std::mutex watches_mutex_;
  std::vector<PeerWatch*> watches_;
};

// A task that waits until the peers of a group change, whichever loop sees to that. One loop.
class PeerWatch {
 public:
  PeerWatch(Balancer& balancer, Loop& loop);
  ~PeerWatch();
  PeerWatch(const PeerWatch&) = delete;
  void reset() { changed_->reset(); }
  auto wait(Deadline deadline) { return changed_->wait(deadline); }

 private:
  friend class Balancer;
  Balancer& balancer_;
  Loop& loop_;
  std::shared_ptr<Event> changed_ = std::make_shared<Event>();  // and of a message from another loop
};

// How a try ended: the peer failed; it answered, but another one is to be asked (403, 404); it is done.
enum class Tried : std::uint8_t { done, next, failed };

class PeerChoice {
 public:
  PeerChoice(Balancer& balancer, Exchange& x);
  PeerChoice(const PeerChoice&) = delete;
  // Before next(), and again: from the beginning, with the peers of now. `all`: those that have failed lately, too.
  void start(bool all = false);
  // The peer to try; null: no live upstreams. Counts as one of its connections until released.
  PeerState* next();
  // Its head has come, after so many ns.
  void heard(PeerState& peer, std::int64_t header_time);
  // True when the peer has just been taken out for fail_timeout. Times since the try began, ns; -1: it never came to that.
  bool release(PeerState& peer, Tried how, std::int64_t header_time, std::int64_t response_time);
  int tries = 0;                // left

 private:
  PeerState* pick();
  PeerState* round_robin(const std::uint32_t* only = nullptr, const std::size_t* stuck = nullptr);
  PeerState* in_turn(const std::vector<std::size_t>& best);
  PeerState* least_connections();
  PeerState* least_time();
  PeerState* by_address();
  PeerState* by_key();
  PeerState* by_ring();
  PeerState* at_random();
  std::size_t index_of_share(std::int64_t share) const;
  std::int64_t estimate(const PeerState& peer) const;
  bool fewer(const PeerState& a, const PeerState& b) const;
  std::int64_t weight_of(const PeerState& peer, std::int64_t full) const;
  std::optional<std::size_t> stuck_to();
  void catch_up();
  bool can_serve(const PeerState& peer) const;
  bool usable(std::size_t index) const;
  PeerState* take(std::size_t index);
  void begin_inflight(PeerState& peer);
  void end_inflight(PeerState& peer, std::int64_t time);
  void take_times(PeerState& peer, Tried how, std::int64_t header_time, std::int64_t response_time);
  std::int64_t milliseconds() const;

  Balancer& balancer_;
  Exchange& x_;
  Tier* tier_;
  std::vector<char, PoolAllocator<char>> tried_;  // a bool for each peer
  std::uint64_t version_ = 0;   // of the peers that tried_ is about
  std::vector<const PeerState*> asked_;  // where that may change
  std::string sticks_to_;       // the id of a peer; empty: none
  std::uint32_t hash_ = 0;      // of the hashing methods, as it moves on
  int rehash_ = 0;
  std::int64_t now_ = 0;        // seconds
  bool all_ = false;            // whatever has failed lately
  bool inflight_ = false;       // this try counts as such
};

}  // namespace seawall
