#include "seawall/base/arena.h"

#include <algorithm>
#include <cstring>

namespace seawall {

char* Arena::allocate(std::size_t n) {
  if (static_cast<std::size_t>(end_ - at_) < n) return grow(n);
  char* place = at_;
  at_ += n;
  return place;
}

char* Arena::grow(std::size_t n) {
  const std::size_t size = std::max<std::size_t>(n, chunks_.empty() ? 512 : 2048);
  if (chunks_.empty()) first_size_ = size;
  chunks_.emplace_back(new char[size]);
  char* place = chunks_.back().get();
  at_ = place + n;
  end_ = place + size;
  return place;
}

std::string_view Arena::copy(std::string_view text) {
  if (text.empty()) return {};
  char* place = allocate(text.size());
  std::memcpy(place, text.data(), text.size());
  return {place, text.size()};
}

void Arena::clear() {
  if (chunks_.empty()) return;
  chunks_.resize(1);
  at_ = chunks_.front().get();
  end_ = at_ + first_size_;
}

}  // namespace seawall
