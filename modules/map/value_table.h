// ValueTable: the values of texts, as a map's rows have them: one look into memory for a text that is not there, two for one that
// is, where a table of chained nodes needs three. Filled at start-up, asked on any loop.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "seawall/config/template.h"

namespace seawall::map {

class ValueTable {
 public:
  // False: there is one already.
  bool add(std::string key, Template value);
  const Template* find(std::string_view key) const;
  bool empty() const { return rows_.empty(); }

 private:
  class Row {
   public:
    std::string key;
    Template value;
  };
  // At most half of them are taken; the next free one ends a search.
  class Slot {
   public:
    std::uint32_t hash = 0, row = 0;  // row: its number plus one, 0 where there is none
  };
  static std::uint32_t hash_of(std::string_view key);
  void put(std::uint32_t hash, std::uint32_t row);
  void grow();

  std::vector<Row> rows_;
  std::vector<Slot> slots_;  // a power of two
};

}  // namespace seawall::map
