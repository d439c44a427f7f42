// least_time: how long a peer takes, on average and at present; and who hears of a peer's answer. nginx's estimates, so that the
// same group is balanced in the same way.
#include <algorithm>

#include "seawall/net/loop.h"
#include "seawall/server/exchange.h"
#include "seawall/upstream/balancer.h"
#include "seawall/upstream/sticky.h"

namespace seawall {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kSlowest = 5000;  // ms: what is slower is equally bad, and the number of connections decides
constexpr std::int64_t kCluster = 20;    // ms: times so close to each other take turns

// Moves by a twentieth of the distance with each value.
void average(std::int64_t& mean, std::int64_t value) {
  mean = mean ? static_cast<std::int64_t>(0.5 + static_cast<double>(value) * 0.05 + static_cast<double>(mean) * 0.95) : value;
}

bool goes_by_time(const Group& group) {
  return group.balance == Balance::least_time || group.balance == Balance::random_two_least_time;
}

}  // namespace

std::int64_t PeerChoice::milliseconds() const { return x_.loop.now() / kMillisecond; }

// How long the peer will take for what it has to do already and one more.
std::int64_t PeerChoice::estimate(const PeerState& peer) const {
  std::int64_t time = balancer_.group.time_to_header ? peer.header_time : peer.response_time;
  // Once in fail_timeout a slow peer gets a chance: it may have become faster.
  const std::int64_t unasked = now_ - peer.checked, timeout = peer.peer->server->fail_timeout.count();
  if (unasked > timeout) time >>= std::min<std::int64_t>(unasked / (timeout + 1), 62);
  if (peer.inflight > 0) time = std::max(time, peer.inflight_time);
  time = time > kSlowest ? kSlowest : time + kCluster - time % kCluster;
  return time * (1 + peer.connections);
}

PeerState* PeerChoice::least_time() {
  std::vector<std::size_t> best;
  std::int64_t least = 0;
  for (std::size_t i = 0; i < tier_->peers.size(); ++i) {
    if (!usable(i)) continue;
    PeerState& peer = *tier_->peers[i];
    if (peer.inflight > 0) average(peer.inflight_time, peer.inflight_last / peer.inflight + milliseconds() - peer.inflight_changed);
    const std::int64_t time = estimate(peer), weight = weight_of(peer, peer.peer->weight);
    const std::int64_t other = best.empty() ? 1 : weight_of(*tier_->peers[best.front()], tier_->peers[best.front()]->peer->weight);
    if (!best.empty() && time * other > least * weight) continue;
    if (best.empty() || time * other < least * weight) {
      best.clear();
      least = time;
    }
    best.push_back(i);
  }
  return in_turn(best);
}

void PeerChoice::begin_inflight(PeerState& peer) {
  if (peer.inflight > 0) peer.inflight_last += (milliseconds() - peer.inflight_changed) * peer.inflight;
  peer.inflight_changed = milliseconds();
  ++peer.inflight;
  inflight_ = true;
}

void PeerChoice::end_inflight(PeerState& peer, std::int64_t time) {
  if (peer.inflight == 1) {
    peer.inflight_last = 0;
  } else {
    peer.inflight_last += (milliseconds() - peer.inflight_changed) * peer.inflight - time;
    peer.inflight_changed = milliseconds();
  }
  --peer.inflight;
  inflight_ = false;
}

// Only what went well counts: a peer that fails fast is none to be preferred.
void PeerChoice::take_times(PeerState& peer, Tried how, std::int64_t header_time, std::int64_t response_time) {
  const Group& group = balancer_.group;
  if (!goes_by_time(group)) return;
  if (inflight_) end_inflight(peer, response_time / kMillisecond);
  if (how != Tried::done || header_time < 0) return;
  average(peer.response_time, response_time / kMillisecond);
  if (!(group.counts_inflight && group.time_to_header)) average(peer.header_time, header_time / kMillisecond);
}

void PeerChoice::heard(PeerState& peer, std::int64_t header_time) {
  const Group& group = balancer_.group;
  if (goes_by_time(group) && group.counts_inflight && group.time_to_header) {
    const auto guard = balancer_.lock();
    average(peer.header_time, header_time / kMillisecond);
    if (inflight_) end_inflight(peer, header_time / kMillisecond);
  }
  if (group.sticky && group.sticky->learns_from_head()) group.sticky->learn(x_, *peer.peer);
}

}  // namespace seawall
