// HTTP dates. Input: a date. What is read and can be written in four digits of a year is read again as the same second.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "seawall/http/date.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto seconds = seawall::parse_http_date(text);
  if (seconds && seawall::parse_http_date(seawall::http_date(*seconds)) != seconds) std::abort();
  return 0;
}
