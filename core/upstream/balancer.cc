#include "seawall/upstream/balancer.h"

#include <algorithm>

#include "seawall/net/loop.h"
#include "seawall/server/exchange.h"
#include "seawall/upstream/ring.h"

namespace seawall {
namespace {

void fill(Tier& tier, const std::vector<Peer>& peers) {
  for (const Peer& peer : peers) {
    tier.peers.emplace_back(peer);
    tier.weight += peer.server->weight;
    if (!peer.server->down) ++tier.tries;
  }
}

}  // namespace

Balancer::Balancer(const Group& group) : group(group) {
  fill(primary, group.primary);
  fill(backup, group.backup);
  single = primary.peers.size() == 1 && backup.peers.empty();
  if (group.balance == Balance::consistent_hash) ring = make_ring(group);
}

PeerChoice::PeerChoice(Balancer& balancer, Exchange& x)
    : tries(balancer.primary.tries + balancer.backup.tries), balancer_(balancer), x_(x), tier_(&balancer.primary),
      tried_(balancer.primary.peers.size()) {}

std::unique_lock<std::mutex> PeerChoice::lock() {
  return balancer_.group.shared ? std::unique_lock(balancer_.mutex) : std::unique_lock<std::mutex>();
}

PeerState* PeerChoice::next() {
  const auto guard = lock();
  now_ = x_.loop.now() / 1'000'000'000;
  PeerState* peer = pick();
  if (!peer && tier_ == &balancer_.primary && !balancer_.backup.peers.empty()) {
    tier_ = &balancer_.backup;
    tried_.assign(tier_->peers.size(), false);
    peer = pick();
  }
  if (peer) ++peer->connections;
  return peer;
}

PeerState* PeerChoice::pick() {
  if (tier_->peers.empty()) return nullptr;
  if (balancer_.single) {
    PeerState& only = tier_->peers.front();
    const UpstreamServer& server = *only.peer->server;
    return server.down || (server.max_conns && only.connections >= server.max_conns) ? nullptr : &only;
  }
  switch (balancer_.group.balance) {
    case Balance::round_robin: return round_robin();
    case Balance::least_conn: return least_connections();
    case Balance::ip_hash: return by_address();
    case Balance::hash: return by_key();
    case Balance::consistent_hash: return by_ring();
    case Balance::random:
    case Balance::random_two: return at_random();
  }
  return nullptr;
}

bool PeerChoice::usable(std::size_t index) const {
  const PeerState& peer = tier_->peers[index];
  const UpstreamServer& server = *peer.peer->server;
  if (tried_[index] || server.down) return false;
  if (server.max_fails && peer.fails >= server.max_fails && now_ - peer.checked <= server.fail_timeout.count()) return false;
  return !server.max_conns || peer.connections < server.max_conns;
}

PeerState* PeerChoice::take(std::size_t index) {
  PeerState& peer = tier_->peers[index];
  tried_[index] = true;
  if (now_ - peer.checked > peer.peer->server->fail_timeout.count()) peer.checked = now_;
  return &peer;
}

// Smooth: over time each comes as often as its weight says, and never in a row when others could.
PeerState* PeerChoice::round_robin(const UpstreamServer* only) {
  std::int64_t total = 0;
  PeerState* best = nullptr;
  std::size_t at = 0;
  for (std::size_t i = 0; i < tier_->peers.size(); ++i) {
    PeerState& peer = tier_->peers[i];
    if ((only && peer.peer->server != only) || !usable(i)) continue;
    peer.current_weight += peer.effective_weight;
    total += peer.effective_weight;
    if (peer.effective_weight < peer.peer->server->weight) ++peer.effective_weight;
    if (!best || peer.current_weight > best->current_weight) {
      best = &peer;
      at = i;
    }
  }
  if (!best) return nullptr;
  best->current_weight -= static_cast<int>(total);
  return take(at);
}

bool PeerChoice::release(PeerState& peer, Tried how) {
  const auto guard = lock();
  --peer.connections;
  if (balancer_.single) {
    peer.fails = 0;
    tries = 0;
    return false;
  }
  if (tries > 0) --tries;
  if (how != Tried::failed) {
    if (peer.accessed < peer.checked) peer.fails = 0;  // it was tried again, and lives
    return false;
  }
  const UpstreamServer& server = *peer.peer->server;
  ++peer.fails;
  peer.accessed = peer.checked = x_.loop.now() / 1'000'000'000;
  if (!server.max_fails) return false;
  peer.effective_weight = std::max(0, peer.effective_weight - server.weight / server.max_fails);
  return peer.fails >= server.max_fails;
}

}  // namespace seawall
