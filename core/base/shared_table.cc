#include "seawall/base/shared_table.h"

#include <cstring>
#include <optional>

namespace seawall {

// Whoever brings a key's hash first has the slot; the others know it by the hash and need not wait for the text, which is there for
// for_each alone. (Two keys of one 64-bit hash are counted together.) A process that dies in between leaves a slot without a text.
class SharedTable::Slot {
 public:
  static std::uint64_t hash_of(std::string_view key) { return std::hash<std::string_view>()(key) | 1; }  // 0: free

  bool take(std::uint64_t hash, std::string_view key) {
    std::uint64_t found = 0;
    if (!hash_.compare_exchange_strong(found, hash, std::memory_order_relaxed)) return found == hash;
    std::memcpy(text_, key.data(), key.size());
    end_.store(static_cast<std::uint32_t>(key.size()) + 1, std::memory_order_release);
    return true;
  }
  std::optional<std::string_view> key() const {
    const std::uint32_t end = end_.load(std::memory_order_acquire);
    return end ? std::optional(std::string_view(text_, end - 1)) : std::nullopt;
  }

 private:
  std::atomic<std::uint64_t> hash_;
  std::atomic<std::uint32_t> end_;  // of the text, plus one; 0: not written yet
  char text_[kLongestKey];
};

SharedTable::SharedTable(std::uint32_t capacity, std::uint32_t counts)
    : capacity_(capacity), counts_(counts),
      memory_((std::size_t{capacity} + 1) * (sizeof(Slot) + std::size_t{counts} * sizeof(SharedCount))) {
  static_assert(sizeof(Slot) % alignof(SharedCount) == 0);  // the counts begin behind the slots
  slot(capacity).take(Slot::hash_of(""), "");
}

SharedTable::Slot& SharedTable::slot(std::uint32_t index) const { return static_cast<Slot*>(memory_.data())[index]; }

SharedCount* SharedTable::counts_of(std::uint32_t index) const {
  return reinterpret_cast<SharedCount*>(&slot(capacity_ + 1)) + std::size_t{index} * counts_;
}

SharedCount* SharedTable::at(std::string_view key) {
  key = key.substr(0, kLongestKey);
  const std::uint64_t hash = Slot::hash_of(key);
  auto index = static_cast<std::uint32_t>(hash / 2 % capacity_);
  for (std::uint32_t tried = 0; !key.empty() && tried < capacity_; ++tried, index = (index + 1) % capacity_)
    if (slot(index).take(hash, key)) return counts_of(index);
  return counts_of(capacity_);
}

void SharedTable::for_each(const std::function<void(std::string_view, const SharedCount*)>& visit) const {
  for (std::uint32_t i = 0; i <= capacity_; ++i)
    if (const auto key = slot(i).key()) visit(*key, counts_of(i));
}

}  // namespace seawall
