// A bump allocator for the text of one message: copies live as long as the arena and are freed together. Movable; moved
// text stays where it is. One thread.
#pragma once
#include <cstddef>
#include <string_view>
#include <utility>

#include "seawall/base/export.h"

namespace seawall {

class SEAWALL_API Arena {
 public:
  Arena() = default;
  Arena(Arena&& other) noexcept
      : last_(std::exchange(other.last_, nullptr)), at_(std::exchange(other.at_, nullptr)), end_(std::exchange(other.end_, nullptr)) {}
  Arena& operator=(Arena&& other) noexcept {
    std::swap(last_, other.last_);
    std::swap(at_, other.at_);
    std::swap(end_, other.end_);
    return *this;
  }
  ~Arena() {
    while (last_) drop_last();
  }

  char* allocate(std::size_t n) {
    if (static_cast<std::size_t>(end_ - at_) < n) return grow(n);
    return std::exchange(at_, at_ + n);
  }
  std::string_view copy(std::string_view text);
  // Forgets all text; keeps the first chunk for the next message.
  void clear();

 private:
  struct Chunk;
  char* grow(std::size_t n);
  void drop_last();
  Chunk* last_ = nullptr;
  char* at_ = nullptr;
  char* end_ = nullptr;
};

}  // namespace seawall
