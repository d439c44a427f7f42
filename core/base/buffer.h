// The input buffer of one direction of one connection. Its bytes live in counted blocks that are never moved under
// anybody: a Slice or a string_view over a pinned block stays valid when the buffer grows into a new block.
// One thread.
//
//   auto room = in.prepare(4096);      // at least one byte to read into
//   in.commit(n);                      // n of them were filled
//   parse(in.view()); in.consume(m);   // the first m are done with
#pragma once
#include <cstddef>
#include <span>
#include <string_view>

#include "seawall/base/slice.h"

namespace seawall {

class SEAWALL_API Block final : public Owner {
 public:
  static Ref<Block> make(std::size_t capacity);
  char* data() { return reinterpret_cast<char*>(this + 1); }
  std::size_t capacity() const { return capacity_; }

 private:
  explicit Block(std::size_t capacity) : capacity_(capacity) {}
  void dispose() override;
  std::size_t capacity_;
};

class SEAWALL_API Buffer {
 public:
  std::string_view view() const { return {block_ ? block_->data() + begin_ : nullptr, end_ - begin_}; }
  std::size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }

  // Room for at least `least` bytes behind the unread ones; unread bytes move to a new block when this one is too small
  // (views of the old place stay valid as long as somebody holds its block).
  std::span<char> prepare(std::size_t least);
  // How much prepare() could give without another block.
  std::size_t room() const {
    if (!block_) return 0;
    return block_->capacity() - (begin_ == end_ && !block_->shared() ? 0 : end_);
  }
  void commit(std::size_t n) { end_ += n; }
  void consume(std::size_t n);
  // The first n unread bytes as a Slice that shares the block; consumes them.
  Slice take(std::size_t n);
  // What keeps views of the present bytes alive.
  Ref<Block> block() const { return block_; }
  // Gives the memory back when nothing is unread: an idle connection holds no buffer.
  void release();

 private:
  Ref<Block> block_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace seawall
