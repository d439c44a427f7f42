// What a folder holds, as autoindex shows it. Any loop.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "seawall/base/fd.h"
#include "seawall/base/result.h"
#include "seawall/server/exchange.h"

namespace seawall::autoindex {

class Entry {
 public:
  enum class Type : std::uint8_t { folder, file, other };
  std::string name;
  Type type = Type::other;
  std::int64_t modified = 0;  // seconds since 1970
  std::int64_t size = 0;      // bytes

  bool is_folder() const { return type == Type::folder; }
  bool is_file() const { return type == Type::file; }
  const char* type_name() const;
};
using Entries = std::vector<Entry>;

// All entries but the hidden ones, folders first, each by name; links as what they lead to. `path` is for the log, where
// what could not be looked at is named. An error: the folder itself could not be read.
Result<Entries> read_folder(Exchange& x, Fd folder, const std::string& path);

}  // namespace seawall::autoindex
