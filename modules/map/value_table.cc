#include "value_table.h"

#include <functional>
#include <utility>

namespace seawall::map {

std::uint32_t ValueTable::hash_of(std::string_view key) { return static_cast<std::uint32_t>(std::hash<std::string_view>()(key)); }

bool ValueTable::add(std::string key, Template value) {
  if (find(key)) return false;
  if (2 * (rows_.size() + 1) > slots_.size()) grow();
  const std::uint32_t hash = hash_of(key);
  rows_.push_back({std::move(key), std::move(value)});
  put(hash, static_cast<std::uint32_t>(rows_.size()));
  return true;
}

const Template* ValueTable::find(std::string_view key) const {
  if (rows_.empty()) return nullptr;
  const std::uint32_t hash = hash_of(key);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = hash & mask; slots_[i].row != 0; i = (i + 1) & mask)
    if (slots_[i].hash == hash && rows_[slots_[i].row - 1].key == key) return &rows_[slots_[i].row - 1].value;
  return nullptr;
}

void ValueTable::put(std::uint32_t hash, std::uint32_t row) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t i = hash & mask;
  while (slots_[i].row != 0) i = (i + 1) & mask;
  slots_[i] = {hash, row};
}

void ValueTable::grow() {
  const std::vector<Slot> before = std::exchange(slots_, std::vector<Slot>(slots_.empty() ? 8 : 2 * slots_.size()));
  for (const Slot& slot : before)
    if (slot.row != 0) put(slot.hash, slot.row);
}

}  // namespace seawall::map
