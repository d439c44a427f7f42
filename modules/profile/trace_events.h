// The events of a trace, at most so many: room is made by the shortest, as who looks at a trace looks for the long ones. One thread.
#pragma once
#include <algorithm>
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
  // Halves them; of equals some stay.
  void leave_out_shortest() {
    const auto longest_gone = kept_.begin() + static_cast<std::ptrdiff_t>(most_ / 2);
    std::nth_element(kept_.begin(), longest_gone, kept_.end(), [](const TraceEvent& a, const TraceEvent& b) { return a.took > b.took; });
    shortest_ = longest_gone->took;
    left_out_ += kept_.size() - most_ / 2;
    kept_.erase(longest_gone, kept_.end());
  }
  std::size_t most_;
  std::vector<TraceEvent> kept_;
  std::int64_t shortest_ = 0;
  std::size_t left_out_ = 0;
};

}  // namespace seawall::profile
