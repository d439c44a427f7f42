#include "output.h"

#include <algorithm>
#include <cstring>

namespace seawall::compress {

std::span<char> Output::room() {
  if (!block_) {
    block_ = Block::make(expected_);
  } else if (size_ == block_->capacity()) {
    Ref<Block> bigger = Block::make(size_ * 2);
    std::memcpy(bigger->data(), block_->data(), size_);
    block_ = std::move(bigger);
  }
  return {block_->data() + size_, block_->capacity() - size_};
}

void Output::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::span<char> free = room();
    const std::size_t n = std::min(free.size(), bytes.size());
    std::memcpy(free.data(), bytes.data(), n);
    commit(n);
    bytes.remove_prefix(n);
  }
}

Slice Output::take() {
  if (size_ == 0) return Slice();
  const std::string_view bytes(block_->data(), size_);
  size_ = 0;
  return Slice(std::exchange(block_, {}), bytes);
}

}  // namespace seawall::compress
