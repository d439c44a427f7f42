#include "seawall/base/buffer.h"

#include <cstdlib>
#include <cstring>
#include <new>

#include "seawall/base/check.h"

namespace seawall {
namespace {

// Every connection wants a block of the common size for the time of a request; keeping some per thread saves malloc's
// trim and refill. Bounded, so that a burst of connections is given back.
constexpr std::size_t kPooledCapacity = 4096 - 64;
constexpr int kPooledBlocks = 64;

struct Pool {
  void* blocks[kPooledBlocks];
  int count = 0;
  ~Pool() { while (count > 0) std::free(blocks[--count]); }
};
thread_local Pool pool;

}  // namespace

Ref<Block> Block::make(std::size_t capacity) {
  if (capacity <= kPooledCapacity) {
    capacity = kPooledCapacity;
    if (pool.count > 0) return Ref<Block>(new (pool.blocks[--pool.count]) Block(capacity));
  }
  void* memory = std::malloc(sizeof(Block) + capacity);
  if (!memory) throw std::bad_alloc();
  return Ref<Block>(new (memory) Block(capacity));
}

void Block::dispose() {
  const bool keep = capacity_ == kPooledCapacity && pool.count < kPooledBlocks;
  this->~Block();
  if (keep) pool.blocks[pool.count++] = this;
  else std::free(this);
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
