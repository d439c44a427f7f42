// ngx_hex_dump: what lua-resty-string calls through the FFI of LuaJIT, which looks among the program's own symbols. Any thread.
#include <cstddef>

#include "seawall/base/export.h"

// Two hex digits for each byte; the place behind the last.
extern "C" SEAWALL_API unsigned char* ngx_hex_dump(unsigned char* to, const unsigned char* from, std::size_t size) {
  static constexpr char digits[] = "0123456789abcdef";
  for (; size > 0; --size, ++from) {
    *to++ = static_cast<unsigned char>(digits[*from >> 4]);
    *to++ = static_cast<unsigned char>(digits[*from & 15]);
  }
  return to;
}
