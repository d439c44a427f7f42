// The other ways of choosing: fewest connections, hashes, chance. Each falls back to round robin where its own rule finds
// nobody, as in nginx.
#include <zlib.h>

#include <algorithm>
#include <random>

#include "seawall/server/exchange.h"
#include "seawall/upstream/balancer.h"

namespace seawall {
namespace {

constexpr int kMostRehashes = 20;

std::uint32_t crc(std::uint32_t from, std::string_view text) {
  return static_cast<std::uint32_t>(::crc32(from, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size())));
}

}  // namespace

bool PeerChoice::fewer(const PeerState& a, const PeerState& b) const {
  return a.connections * weight_of(b, b.peer->weight) < b.connections * weight_of(a, a.peer->weight);
}

// Those that are equally good take turns.
PeerState* PeerChoice::in_turn(const std::vector<std::size_t>& best) {
  if (best.empty()) return nullptr;
  if (best.size() == 1) return take(best.front());
  std::int64_t total = 0;
  std::size_t chosen = best.front();
  for (const std::size_t i : best) {
    PeerState& peer = *tier_->peers[i];
    const std::int64_t weight = weight_of(peer, peer.effective_weight);
    peer.current_weight += weight;
    total += weight;
    if (peer.effective_weight < peer.peer->weight) ++peer.effective_weight;
    if (peer.current_weight > tier_->peers[chosen]->current_weight) chosen = i;
  }
  tier_->peers[chosen]->current_weight -= total;
  return take(chosen);
}

// Those with as few connections for their weight.
PeerState* PeerChoice::least_connections() {
  std::vector<std::size_t> best;
  for (std::size_t i = 0; i < tier_->peers.size(); ++i) {
    if (!usable(i)) continue;
    const PeerState& peer = *tier_->peers[i];
    if (!best.empty() && fewer(peer, *tier_->peers[best.front()])) best.clear();
    if (best.empty() || !fewer(*tier_->peers[best.front()], peer)) best.push_back(i);
  }
  return in_turn(best);
}

// Whose share of the weights this one is.
std::size_t PeerChoice::index_of_share(std::int64_t share) const {
  std::size_t i = 0;
  while ((share -= tier_->peers[i]->peer->weight) >= 0) ++i;
  return i;
}

// The client's network decides: three bytes of IPv4, all of IPv6.
PeerState* PeerChoice::by_address() {
  const std::string address = x_.connection.remote.binary();
  const std::string_view network = address.size() == 4 ? std::string_view(address).substr(0, 3) : address;
  if (rehash_ == 0) hash_ = 89;
  while (rehash_++ <= kMostRehashes) {
    for (char c : network) hash_ = (hash_ * 113 + static_cast<unsigned char>(c)) % 6271;
    const std::size_t i = index_of_share(hash_ % tier_->weight);
    if (usable(i)) return take(i);
  }
  return round_robin();
}

PeerState* PeerChoice::by_key() {
  const std::string key = balancer_.group.key.eval(x_);
  while (!key.empty() && rehash_ <= kMostRehashes) {
    const std::string prefix = rehash_ > 0 ? std::to_string(rehash_) : std::string();
    hash_ += (crc(crc(0, prefix), key) >> 16) & 0x7fff;
    ++rehash_;
    const std::size_t i = index_of_share(hash_ % tier_->weight);
    if (usable(i)) return take(i);
  }
  return round_robin();
}

// The first point behind the key's decides which server; a server of several addresses gives them in turn.
PeerState* PeerChoice::by_ring() {
  const auto& ring = balancer_.ring;
  if (rehash_ == 0) {
    const std::string key = balancer_.group.key.eval(x_);
    if (key.empty()) rehash_ = kMostRehashes + 1;
    const auto at = std::lower_bound(ring.begin(), ring.end(), crc(0, key), [](auto& point, auto hash) { return point.first < hash; });
    hash_ = static_cast<std::uint32_t>(at - ring.begin());
  }
  while (!ring.empty() && tier_ == &balancer_.primary && rehash_ <= kMostRehashes) {
    if (PeerState* peer = round_robin(&ring[hash_ % ring.size()].second)) return peer;
    ++hash_;
    ++rehash_;
  }
  return round_robin();
}

PeerState* PeerChoice::at_random() {
  static thread_local std::minstd_rand numbers{std::random_device{}()};
  const auto draw = [&] { return index_of_share(std::uniform_int_distribution<std::int64_t>(0, tier_->weight - 1)(numbers)); };
  const Balance balance = balancer_.group.balance;
  const bool two = balance != Balance::random && tier_->peers.size() > 1;
  for (int attempt = 0; attempt <= kMostRehashes; ++attempt) {
    std::size_t i = draw();
    if (!usable(i)) continue;
    if (two) {
      const std::size_t other = draw();
      if (other == i || !usable(other)) continue;
      const PeerState &a = *tier_->peers[i], &b = *tier_->peers[other];
      const bool faster = estimate(b) * a.peer->weight < estimate(a) * b.peer->weight;
      if (balance == Balance::random_two_least_time ? faster : fewer(b, a)) i = other;
    }
    return take(i);
  }
  return round_robin();
}

}  // namespace seawall
