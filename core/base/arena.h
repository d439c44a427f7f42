// A bump allocator for the text of one message: copies live as long as the arena and are freed together. Movable; moved
// text stays where it is. One thread.
#pragma once
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "seawall/base/export.h"

namespace seawall {

class SEAWALL_API Arena {
 public:
  char* allocate(std::size_t n);
  std::string_view copy(std::string_view text);
  // Forgets all text; keeps the first chunk for the next message.
  void clear();

 private:
  char* grow(std::size_t n);
  std::vector<std::unique_ptr<char[]>> chunks_;
  std::size_t first_size_ = 0;
  char* at_ = nullptr;
  char* end_ = nullptr;
};

}  // namespace seawall
