#include "seawall/base/shared_table.h"

#include <cstring>

namespace seawall {
namespace {

constexpr int kLooks = 1'000'000;

}  // namespace

// A process that dies while it writes a key leaves the slot `taken`: everybody passes it by.
class SharedTable::Slot {
 public:
  enum : std::uint32_t { free, taken, ready };

  // Whoever is writing needs a moment, and is waited for: it may be this very key.
  bool holds(std::string_view key) const {
    for (int look = 0; look < kLooks && state.load(std::memory_order_acquire) == taken; ++look) {}
    return state.load(std::memory_order_acquire) == ready && key == this->key();
  }
  std::string_view key() const { return {text, length}; }
  bool take(std::string_view key) {
    std::uint32_t expected = free;
    if (!state.compare_exchange_strong(expected, taken, std::memory_order_acq_rel)) return false;
    length = static_cast<std::uint32_t>(key.size());
    std::memcpy(text, key.data(), key.size());
    state.store(ready, std::memory_order_release);
    return true;
  }

  std::atomic<std::uint32_t> state;
  std::uint32_t length;
  char text[kLongestKey];
};

static_assert(SharedTable::kLongestKey % alignof(SharedCount) == 0);  // the counts begin behind the slots

SharedTable::SharedTable(std::uint32_t capacity, std::uint32_t counts)
    : capacity_(capacity), counts_(counts),
      memory_((std::size_t{capacity} + 1) * (sizeof(Slot) + std::size_t{counts} * sizeof(SharedCount))) {
  slot(capacity).take("");
}

SharedTable::Slot& SharedTable::slot(std::uint32_t index) const { return static_cast<Slot*>(memory_.data())[index]; }

SharedCount* SharedTable::counts_of(std::uint32_t index) const {
  return reinterpret_cast<SharedCount*>(&slot(capacity_ + 1)) + std::size_t{index} * counts_;
}

SharedCount* SharedTable::at(std::string_view key) {
  key = key.substr(0, kLongestKey);
  std::uint32_t index = static_cast<std::uint32_t>(std::hash<std::string_view>()(key) % capacity_);
  for (std::uint32_t tried = 0; !key.empty() && tried < capacity_; ++tried, index = (index + 1) % capacity_) {
    Slot& here = slot(index);
    if (here.holds(key) || here.take(key) || here.holds(key)) return counts_of(index);
  }
  return counts_of(capacity_);
}

void SharedTable::for_each(const std::function<void(std::string_view, const SharedCount*)>& visit) const {
  for (std::uint32_t i = 0; i <= capacity_; ++i)
    if (slot(i).state.load(std::memory_order_acquire) == Slot::ready) visit(slot(i).key(), counts_of(i));
}

}  // namespace seawall
