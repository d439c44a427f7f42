// SharedTable: a table of text keys in memory that all generations see, for what is counted by name (a server and a location,
// a cipher). It only grows, up to a bound; nobody locks or waits. Made before the processes that use it are forked; any thread.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <string_view>

#include "seawall/base/shared_memory.h"

namespace seawall {

// Counts in shared memory, by whoever.
class SharedCount {
 public:
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class SEAWALL_API SharedTable {
 public:
  static constexpr std::size_t kLongestKey = 244;  // bytes; longer keys are cut

  // Room for `capacity` keys, each with a value of `counts` zeroes.
  SharedTable(std::uint32_t capacity, std::uint32_t counts);

  // The counts of a key, which may be new; those of "" when the table is full. They stay where they are.
  SharedCount* at(std::string_view key);
  void for_each(const std::function<void(std::string_view key, const SharedCount* counts)>& visit) const;

 private:
  class Slot;
  Slot& slot(std::uint32_t index) const;
  SharedCount* counts_of(std::uint32_t index) const;

  const std::uint32_t capacity_, counts_;
  SharedMemory memory_;  // the slots, the last of which is that of "", and behind them their counts
};

}  // namespace seawall
