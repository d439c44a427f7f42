// Pace: how much of a response may go when (limit_rate, limit_rate_after). After what is free, a second's worth may go at
// once, and so much again for every second; in pieces of an eighth of that, or of a packet. One loop.
//
//   if (auto pace = Pace::of(x)) { n = pace->allowance(now, left); ... pace->sent(n); }
//   // none is allowed: wait until pace->due(now, left)
#pragma once
#include <cstdint>
#include <optional>

namespace seawall {

class Exchange;

class Pace {
 public:
  // `rate`: bytes a second, above 0; `after`: bytes that are free; `now`: ns.
  Pace(std::int64_t rate, std::int64_t after, std::int64_t now);
  // Of the response that begins now; nothing: as fast as may be.
  static std::optional<Pace> of(Exchange& x);

  // How many of `left` bytes (more than 0) may go now; 0: none, wait until due().
  std::uint64_t allowance(std::int64_t now, std::uint64_t left);
  void sent(std::uint64_t bytes) { credit_ -= static_cast<double>(bytes); }
  std::int64_t due(std::int64_t now, std::uint64_t left) const;

 private:
  double piece(std::uint64_t left) const;
  double rate_, credit_;
  std::int64_t refilled_;  // ns
};

}  // namespace seawall
