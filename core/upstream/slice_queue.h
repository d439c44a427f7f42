// SliceQueue: bytes that wait, piece by piece. Without any it holds no memory, as most responses and all tunnels never have any: a
// std::deque would hold half a KiB. One thread.
#pragma once
#include <cstddef>
#include <utility>
#include <vector>

#include "seawall/base/pool.h"
#include "seawall/base/slice.h"

namespace seawall {

class SliceQueue {
 public:
  bool empty() const { return first_ == slices_.size(); }
  std::size_t size() const { return slices_.size() - first_; }
  void push(Slice slice) { slices_.push_back(std::move(slice)); }
  // It must not be empty.
  Slice pop() {
    Slice slice = std::move(slices_[first_++]);
    if (first_ == slices_.size()) clear();
    else if (first_ >= kMostGone && first_ >= slices_.size() / 2) forget_gone();
    return slice;
  }
  void clear() {
    slices_.clear();
    first_ = 0;
  }

 private:
  static constexpr std::size_t kMostGone = 64;  // then they are half at least: each is moved once at most on average
  void forget_gone() {
    slices_.erase(slices_.begin(), slices_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
  std::vector<Slice, PoolAllocator<Slice>> slices_;
  std::size_t first_ = 0;
};

}  // namespace seawall
