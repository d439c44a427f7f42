// The events of a trace, at most so many: room is made by the shortest, as who looks at a trace looks for the long ones. One thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace seawall::profile {

class TraceEvent {
 public:
  std::int64_t when, took;  // ns
  std::size_t work;         // its place among the kinds
};

class TraceEvents {
 public:
  explicit TraceEvents(std::size_t most) : most_(most) {}
  void add(TraceEvent event) {
    if (kept_.size() == most_ && event.took >= shortest_) leave_out_shortest();
    if (event.took < shortest_) ++left_out_;
    else kept_.push_back(event);
  }
  const std::vector<TraceEvent>& kept() const { return kept_; }
  std::int64_t shortest() const { return shortest_; }  // none that is shorter is kept
  std::size_t left_out() const { return left_out_; }

 private:
  static constexpr std::int64_t kLeast = 1'000;
  // Halves them at least.
  void leave_out_shortest() {
    while (kept_.size() > most_ / 2) {
      shortest_ = shortest_ == 0 ? kLeast : 2 * shortest_;
      left_out_ += std::erase_if(kept_, [this](const TraceEvent& event) { return event.took < shortest_; });
    }
  }
  std::size_t most_;
  std::vector<TraceEvent> kept_;
  std::int64_t shortest_ = 0;
  std::size_t left_out_ = 0;
};

}  // namespace seawall::profile
