#include "seawall/base/buffer.h"

#include <cstring>
#include <new>

#include "seawall/base/check.h"
#include "seawall/base/pool.h"

namespace seawall {

Ref<Block> Block::make(std::size_t capacity) {
  return Ref<Block>(new (pool_allocate(sizeof(Block) + capacity)) Block(capacity));
}

void Block::dispose() {
  const std::size_t size = sizeof(Block) + capacity_;
  this->~Block();
  pool_free(this, size);
}

std::span<char> Buffer::prepare(std::size_t least) {
  if (block_ && begin_ == end_ && !block_->shared()) begin_ = end_ = 0;
  if (!block_ || block_->capacity() - end_ < least) {
    Ref<Block> bigger = Block::make(size() + least);
    if (!empty()) std::memcpy(bigger->data(), block_->data() + begin_, size());
    end_ -= begin_;
    begin_ = 0;
    block_ = std::move(bigger);
  }
  return {block_->data() + end_, block_->capacity() - end_};
}

void Buffer::consume(std::size_t n) {
  CHECK(n <= size());
  begin_ += n;
}

Slice Buffer::take(std::size_t n) {
  CHECK(n <= size());
  const char* at = block_ ? block_->data() + begin_ : nullptr;
  begin_ += n;
  block_ ? block_->add_ref() : void();
  return Slice(Ref<Owner>(block_.get()), {at, n});
}

void Buffer::release() {
  if (!empty()) return;
  block_ = {};
  begin_ = end_ = 0;
}

}  // namespace seawall
