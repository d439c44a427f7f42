#include "seawall/server/h2_weights.h"

namespace seawall {

bool H2Weights::is_above(std::int32_t stream, std::int32_t other) const {
  for (auto at = nodes_.find(other); at != nodes_.end(); at = nodes_.find(at->second.parent))
    if (at->second.parent == stream) return true;
  return false;
}

void H2Weights::set(std::int32_t stream, std::int32_t depends_on, int weight, bool exclusive) {
  if (depends_on == stream) return;  // RFC 7540 5.3.1: an error, which nghttp2 does not see everywhere
  if (!knows(depends_on)) {
    exclusive = exclusive && depends_on == 0;
    depends_on = 0;
  }
  Node& node = nodes_[stream];
  // A stream that comes to depend on one below it: that one takes its place first (RFC 7540 5.3.3).
  if (is_above(stream, depends_on)) nodes_[depends_on].parent = node.parent;
  if (exclusive)
    for (auto& [id, other] : nodes_)
      if (other.parent == depends_on && id != stream) other.parent = stream;
  node.parent = depends_on;
  node.weight = weight;
  if (nodes_.size() > kMost) forget_oldest();
  for (auto& [id, other] : nodes_) other.depth = 0;
}

void H2Weights::forget_oldest() {
  const auto oldest = nodes_.begin();
  for (auto& [id, other] : nodes_)
    if (other.parent == oldest->first) other.parent = oldest->second.parent;
  nodes_.erase(oldest);
}

const H2Weights::Node& H2Weights::weighed(Node& node) {
  if (node.depth > 0) return node;
  node.depth = 1;
  node.share = node.weight / 256.0;
  if (const auto parent = nodes_.find(node.parent); parent != nodes_.end()) {
    const Node& above = weighed(parent->second);
    node.depth = above.depth + 1;
    node.share *= above.share;
  }
  return node;
}

H2Weights::Node H2Weights::weigh(std::int32_t stream) {
  if (const auto found = nodes_.find(stream); found != nodes_.end()) return weighed(found->second);
  Node unknown;
  return weighed(unknown);
}

bool H2Weights::before(std::int32_t a, std::int32_t b) {
  const Node first = weigh(a), second = weigh(b);
  return first.depth < second.depth || (first.depth == second.depth && first.share > second.share);
}

}  // namespace seawall
