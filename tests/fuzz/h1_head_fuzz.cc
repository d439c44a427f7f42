// The head of a request. Input: bytes of a connection. Where the head ends must not depend on how its bytes arrive, and
// what parses keeps the promises that routing relies on.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "seawall/http/h1_head.h"

namespace {

using namespace seawall;

void check(bool holds) {
  if (!holds) std::abort();
}

void check_head(const RequestHead& head) {
  const std::string_view path = head.path;
  check(path == "*" || path.starts_with('/'));
  check(path.find('\0') == std::string_view::npos);
  check(path.find("/../") == std::string_view::npos && !path.ends_with("/.."));
  check(head.version != Version::http11 || !head.authority.empty());
  check(!(head.chunked && head.content_length));
  for (const Field& field : head.headers.all())
    check(!field.name.empty() && field.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const HeadLimits limits;
  HeadReader at_once(limits), one_by_one(limits);
  const auto whole = at_once.scan(text);
  Result<std::optional<std::size_t>> last = std::optional<std::size_t>();
  for (std::size_t n = 1; n <= size && last && !*last; ++n) last = one_by_one.scan(text.substr(0, n));
  check(whole.has_value() == last.has_value());
  if (!whole || !*whole) return 0;
  check(*whole == *last);

  Buffer in;
  const auto room = in.prepare(size);
  std::memcpy(room.data(), text.data(), size);
  in.commit(size);
  RequestHead head;
  if (!parse_head(in, **whole, HeadOptions(), head)) return 0;
  check(in.size() == size - **whole);
  check_head(head);
  return 0;
}
