#include "seawall/base/arena.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "seawall/base/pool.h"

namespace seawall {

// The text follows.
struct Arena::Chunk {
  char* begin() { return reinterpret_cast<char*>(this + 1); }
  char* end() { return reinterpret_cast<char*>(this) + size; }
  Chunk* before;
  std::size_t size;  // with this head
};

char* Arena::grow(std::size_t n) {
  const std::size_t size = std::max(n + sizeof(Chunk), std::size_t{last_ ? 2048u : 512u});
  last_ = new (pool_allocate(size)) Chunk{last_, size};
  at_ = last_->begin() + n;
  end_ = last_->end();
  return last_->begin();
}

void Arena::drop_last() {
  Chunk* const chunk = std::exchange(last_, last_->before);
  pool_free(chunk, chunk->size);
}

std::string_view Arena::copy(std::string_view text) {
  if (text.empty()) return {};
  char* place = allocate(text.size());
  std::memcpy(place, text.data(), text.size());
  return {place, text.size()};
}

void Arena::clear() {
  if (!last_) return;
  while (last_->before) drop_last();
  at_ = last_->begin();
  end_ = last_->end();
}

}  // namespace seawall
