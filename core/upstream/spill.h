// Spill: what was read ahead of a slow client and does not fit into memory, in a file without a name: first in, first out.
// Writes and reads block for as long as the disk takes, which is mostly the page cache. One loop.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "seawall/base/fd.h"
#include "seawall/base/result.h"
#include "seawall/base/slice.h"

namespace seawall {

class Spill {
 public:
  bool empty() const { return from_ == to_; }
  std::uint64_t size() const { return to_ - from_; }
  std::uint64_t file_size() const { return to_; }
  bool is_open() const { return static_cast<bool>(file_); }
  // Makes the file in this folder, and the folder when it is missing. Errors: errno.
  Result<void> open(const std::string& folder);
  // Errors: errno; nothing of `bytes` counts then.
  Result<void> append(std::string_view bytes);
  // The next bytes, up to `most`; not when empty(). Errors: errno, truncated.
  Result<Slice> take(std::size_t most);

 private:
  Fd file_;
  std::uint64_t from_ = 0, to_ = 0;
};

}  // namespace seawall
