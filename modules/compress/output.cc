#include "output.h"

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

Slice Output::take() {
  if (size_ == 0) return Slice();
  const std::string_view bytes(block_->data(), size_);
  size_ = 0;
  return Slice(std::exchange(block_, {}), bytes);
}

}  // namespace seawall::compress
