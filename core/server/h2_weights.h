// The order in which streams are served for a client that says it with RFC 7540's dependencies and weights: strictly, as in nginx.
// Who depends on another stream comes behind it, of those at one depth the heavier first; nghttp2 shares the connection between
// them by weight instead. Bounded: of more streams than that the oldest are forgotten. One loop.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>

namespace seawall {

class H2Weights {
 public:
  // `weight` as on the wire and one more: 1..256. A stream that nobody knows is the root, and takes nobody's children;
  // one that depends on itself says nothing.
  void set(std::int32_t stream, std::int32_t depends_on, int weight, bool exclusive);
  bool knows(std::int32_t stream) const { return nodes_.count(stream) != 0; }
  // True when a is to be served before b.
  bool before(std::int32_t a, std::int32_t b);

  static constexpr std::size_t kMost = 256;

 private:
  struct Node {
    std::int32_t parent = 0;
    int weight = kUsual;
    int depth = 0;         // 1 below the root; 0: to be found out
    double share = 0;      // its own weight and those above it
  };
  static constexpr int kUsual = 16;  // RFC 7540 5.3.5
  bool is_above(std::int32_t stream, std::int32_t other) const;
  void forget_oldest();
  const Node& weighed(Node& node);
  Node weigh(std::int32_t stream);
  std::map<std::int32_t, Node> nodes_;
};

}  // namespace seawall
