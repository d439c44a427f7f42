// A part of a body that is produced while it is sent: for ranges. One loop.
#pragma once
#include <cstdint>
#include <memory>

#include "seawall/http/body.h"

namespace seawall {

// A Reader that need not produce what nobody wants to read.
class SEAWALL_API PartialReader : public Reader {
 public:
  // Before the first read(): the bytes from `begin` to before `end` are the whole body from now on.
  virtual void narrow(std::uint64_t begin, std::uint64_t end) = 0;
};

// Of any other the bytes in front are read and thrown away. A body that ends before `end` is Errc::truncated.
SEAWALL_API std::unique_ptr<Reader> part_of_reader(std::unique_ptr<Reader> whole, std::uint64_t begin, std::uint64_t end);

}  // namespace seawall
