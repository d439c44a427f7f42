#include "seawall/upstream/balancer.h"

#include <algorithm>

#include "seawall/net/loop.h"
#include "seawall/server/exchange.h"
#include "seawall/upstream/ring.h"
#include "seawall/upstream/sticky.h"

namespace seawall {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
// A weight in parts, where some grow: one of 1 has steps, too.
constexpr std::int64_t kParts = 256;

void fill(Tier& tier, const std::vector<Peer>& peers, std::uint32_t failing) {
  for (const Peer& peer : peers) tier.peers.emplace_back(std::make_unique<PeerState>(peer))->failing = failing;
}

void sum_up(Tier& tier) {
  tier.weight = tier.tries = 0;
  for (const auto& state : tier.peers) {
    const UpstreamServer& server = *state->peer->server;
    tier.weight += state->peer->weight;
    if (!server.down && !server.drain) ++tier.tries;
  }
}

bool same_peer(const Peer& a, const Peer& b) { return a.address == b.address && a.label == b.label && a.weight == b.weight; }

}  // namespace

Balancer::Balancer(const Group& group) : group(group), changes(group.resolves()), starts_slowly(group.starts_slowly()) {
  fill(primary, group.primary, group.must_pass);
  fill(backup, group.backup, group.must_pass);
  for (const UpstreamServer& server : group.servers) unanswered += server.resolve;
  count_up();
}

Balancer::~Balancer() { CHECK(watches_.empty()); }

void Balancer::count_up() {
  sum_up(primary);
  sum_up(backup);
  single = primary.peers.size() == 1 && backup.peers.empty();
  if (group.balance == Balance::consistent_hash) ring = make_ring(primary);
}

void Balancer::replace(Tier& tier, const UpstreamServer& server, std::vector<Peer> peers) {
  std::erase_if(tier.peers, [&](std::unique_ptr<PeerState>& state) {
    if (state->peer->server != &server) return false;
    const auto known = std::find_if(peers.begin(), peers.end(), [&](const Peer& peer) { return same_peer(peer, *state->peer); });
    if (known != peers.end()) {
      peers.erase(known);
      return false;
    }
    state->gone = true;
    if (state->connections > 0) leaving_.push_back(std::move(state));
    return true;
  });
  for (Peer& peer : peers) {
    auto own = std::make_unique<const Peer>(std::move(peer));
    const Peer& of = *own;
    tier.peers.emplace_back(std::make_unique<PeerState>(of, std::move(own)))->failing = group.must_pass;
  }
}

void Balancer::heard_of(const UpstreamServer& server) {
  {
    const auto guard = lock();
    if (std::find(answered_.begin(), answered_.end(), &server) != answered_.end()) return;
    answered_.push_back(&server);
    --unanswered;
  }
  tell_watchers();
}

void Balancer::replace(const UpstreamServer& server, std::vector<Peer> first, std::vector<Peer> last) {
  {
    const auto guard = lock();
    replace(primary, server, std::move(first));
    replace(backup, server, std::move(last));
    count_up();
    ++version;
  }
  heard_of(server);
  tell_watchers();
}

bool Balancer::awaits_names() {
  if (!changes) return false;
  const auto guard = lock();
  return unanswered > 0 && primary.peers.empty() && backup.peers.empty();
}

void Balancer::bury(PeerState& peer) {
  std::erase_if(leaving_, [&](const auto& one) { return one.get() == &peer; });
}

std::vector<Peer> Balancer::peers() {
  const auto guard = lock();
  std::vector<Peer> all;
  for (const Tier* tier : {&primary, &backup})
    for (const auto& state : tier->peers) all.push_back(*state->peer);
  return all;
}

PeerState* Balancer::find(const Peer& peer) {
  for (Tier* tier : {&primary, &backup})
    for (const auto& state : tier->peers)
      if (state->peer->server == peer.server && same_peer(*state->peer, peer)) return state.get();
  return nullptr;
}

Balancer::Told Balancer::set_failing(const Peer& peer, int check, bool failing, std::int64_t now) {
  const std::uint32_t bit = 1u << check;
  {
    const auto guard = lock();
    PeerState* const state = find(peer);
    if (!state) return Told::gone;
    if (((state->failing & bit) != 0) == failing) return Told::same;
    state->failing ^= bit;
    if (state->failing == 0) is_back(*state, now);
  }
  tell_watchers();
  return Told::changed;
}

void Balancer::is_back(PeerState& peer, std::int64_t now) {
  peer.fails = 0;
  if (peer.peer->server->slow_start.count() > 0 && !single) peer.back_since = now;
}

void Balancer::tell_watchers() {
  const std::lock_guard guard(watches_mutex_);
  for (PeerWatch* watch : watches_) watch->loop_.post([changed = watch->changed_] { changed->set(); });
}

PeerWatch::PeerWatch(Balancer& balancer, Loop& loop) : balancer_(balancer), loop_(loop) {
  const std::lock_guard guard(balancer_.watches_mutex_);
  balancer_.watches_.push_back(this);
}

PeerWatch::~PeerWatch() {
  const std::lock_guard guard(balancer_.watches_mutex_);
  std::erase(balancer_.watches_, this);
}

PeerChoice::PeerChoice(Balancer& balancer, Exchange& x) : balancer_(balancer), x_(x), tier_(&balancer.primary) {}

void PeerChoice::start(bool all) {
  if (const Sticky* sticky = balancer_.group.sticky.get()) sticks_to_ = sticky->find(x_);
  const auto guard = balancer_.lock();
  tier_ = &balancer_.primary;
  tries = balancer_.primary.tries + balancer_.backup.tries;
  tried_.assign(tier_->peers.size(), false);
  version_ = balancer_.version;
  asked_.clear();
  all_ = all;
  hash_ = 0;
  rehash_ = 0;
}

// Peers have come or gone meanwhile.
void PeerChoice::catch_up() {
  if (version_ == balancer_.version) return;
  version_ = balancer_.version;
  tried_.assign(tier_->peers.size(), false);
  for (std::size_t i = 0; i < tried_.size(); ++i)
    tried_[i] = std::find(asked_.begin(), asked_.end(), tier_->peers[i].get()) != asked_.end();
}

PeerState* PeerChoice::next() {
  const auto guard = balancer_.lock();
  now_ = x_.loop.now() / kSecond;
  catch_up();
  PeerState* peer = pick();
  if (!peer && tier_ == &balancer_.primary && !balancer_.backup.peers.empty()) {
    tier_ = &balancer_.backup;
    tried_.assign(tier_->peers.size(), false);
    peer = pick();
  }
  if (!peer) return nullptr;
  ++peer->connections;
  if (balancer_.group.counts_inflight) begin_inflight(*peer);
  return peer;
}

PeerState* PeerChoice::pick() {
  if (tier_->peers.empty()) return nullptr;
  const std::optional<std::size_t> stuck = stuck_to();
  if (balancer_.single) {
    PeerState& only = *tier_->peers.front();
    const UpstreamServer& server = *only.peer->server;
    if (server.down || only.failing || (server.max_conns && only.connections >= server.max_conns)) return nullptr;
    return server.drain && !stuck ? nullptr : &only;
  }
  if (balancer_.group.balance == Balance::round_robin) return round_robin(nullptr, stuck ? &*stuck : nullptr);
  if (stuck) return take(*stuck);
  switch (balancer_.group.balance) {
    case Balance::round_robin: break;
    case Balance::least_conn: return least_connections();
    case Balance::least_time: return least_time();
    case Balance::ip_hash: return by_address();
    case Balance::hash: return by_key();
    case Balance::consistent_hash: return by_ring();
    case Balance::random:
    case Balance::random_two:
    case Balance::random_two_least_time: return at_random();
  }
  return nullptr;
}

// The peer that the client sticks to, if it is one of these and may be asked.
std::optional<std::size_t> PeerChoice::stuck_to() {
  if (sticks_to_.empty()) return std::nullopt;
  for (std::size_t i = 0; i < tier_->peers.size(); ++i)
    if (tier_->peers[i]->peer->id == sticks_to_)
      return !tried_[i] && can_serve(*tier_->peers[i]) ? std::optional(i) : std::nullopt;
  return std::nullopt;
}

bool PeerChoice::can_serve(const PeerState& peer) const {
  const UpstreamServer& server = *peer.peer->server;
  if (server.down || peer.failing) return false;
  if (!all_ && server.max_fails && peer.fails >= server.max_fails && now_ - peer.checked <= server.fail_timeout.count()) return false;
  return !server.max_conns || peer.connections < server.max_conns;
}

bool PeerChoice::usable(std::size_t index) const {
  const PeerState& peer = *tier_->peers[index];
  return !tried_[index] && !peer.peer->server->drain && can_serve(peer);
}

PeerState* PeerChoice::take(std::size_t index) {
  PeerState& peer = *tier_->peers[index];
  tried_[index] = true;
  if (balancer_.changes) asked_.push_back(&peer);
  if (now_ - peer.checked > peer.peer->server->fail_timeout.count()) peer.checked = now_;
  return &peer;
}

// What counts of a weight while the peer starts slowly.
std::int64_t PeerChoice::weight_of(const PeerState& peer, std::int64_t full) const {
  if (!balancer_.starts_slowly) return full;
  const std::int64_t whole = std::chrono::nanoseconds(peer.peer->server->slow_start).count(), since = x_.loop.now() - peer.back_since;
  if (peer.back_since == 0 || since >= whole) return full * kParts;
  return std::max<std::int64_t>(1, full * kParts * (since / 1000) / (whole / 1000));
}

// Smooth: over time each comes as often as its weight says, and never in a row when others could. `only`: those of a label.
// `stuck`: the one to take; the others' turns come as if it had been its.
PeerState* PeerChoice::round_robin(const std::uint32_t* only, const std::size_t* stuck) {
  if (stuck) {
    const PeerState& wanted = *tier_->peers[*stuck];
    const std::int64_t others = tier_->weight - wanted.peer->weight;
    if (wanted.current_weight <= -(balancer_.starts_slowly ? others * kParts : others)) return take(*stuck);
  }
  std::int64_t total = 0;
  PeerState* best = nullptr;
  std::size_t at = 0;
  for (std::size_t i = 0; i < tier_->peers.size(); ++i) {
    PeerState& peer = *tier_->peers[i];
    if ((only && peer.label != *only) || !usable(i)) continue;
    const std::int64_t weight = weight_of(peer, peer.effective_weight);
    peer.current_weight += weight;
    total += weight;
    if (peer.effective_weight < peer.peer->weight) ++peer.effective_weight;
    if (!best || peer.current_weight > best->current_weight) {
      best = &peer;
      at = i;
    }
  }
  if (stuck) best = tier_->peers[at = *stuck].get();
  if (!best) return nullptr;
  best->current_weight -= total;
  return take(at);
}

bool PeerChoice::release(PeerState& peer, Tried how, std::int64_t header_time, std::int64_t response_time) {
  if (how == Tried::done && balancer_.group.sticky && balancer_.group.sticky->learns_at_end()) balancer_.group.sticky->learn(x_, *peer.peer);
  const auto guard = balancer_.lock();
  take_times(peer, how, header_time, response_time);
  --peer.connections;
  if (peer.gone) {
    if (tries > 0) --tries;
    if (peer.connections == 0) balancer_.bury(peer);
    return false;
  }
  if (balancer_.single) {
    peer.fails = 0;
    tries = 0;
    return false;
  }
  if (tries > 0) --tries;
  const UpstreamServer& server = *peer.peer->server;
  if (how != Tried::failed) {
    if (!all_ && peer.accessed >= peer.checked) return false;
    const bool was_out = server.max_fails && peer.fails >= server.max_fails;
    if (was_out) balancer_.is_back(peer, x_.loop.now());
    peer.fails = 0;  // it was tried again, and lives
    return false;
  }
  ++peer.fails;
  peer.accessed = peer.checked = x_.loop.now() / kSecond;
  if (!server.max_fails) return false;
  peer.effective_weight = std::max(0, peer.effective_weight - peer.peer->weight / server.max_fails);
  return peer.fails >= server.max_fails;
}

}  // namespace seawall
