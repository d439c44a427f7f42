// The bytes a coder makes, in one growing block that becomes a Slice without a copy. One loop.
#pragma once
#include <cstddef>
#include <span>
#include <string_view>

#include "seawall/base/buffer.h"

namespace seawall::compress {

class Output {
 public:
  explicit Output(std::size_t expected) : expected_(expected) {}
  // Free space, at least one byte.
  std::span<char> room();
  void commit(std::size_t n) { size_ += n; }
  void append(std::string_view bytes);
  std::size_t size() const { return size_; }
  // All of it; the Output is empty again.
  Slice take();

 private:
  Ref<Block> block_;
  std::size_t expected_;
  std::size_t size_ = 0;
};

}  // namespace seawall::compress
