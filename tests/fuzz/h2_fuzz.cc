// Frames and heads of HTTP/2. Input: what a client sends. Which frames there are must not depend on how their bytes arrive; what
// HPACK unpacks becomes a head that keeps the promises that routing relies on, or is refused.
#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "seawall/http/h2_head.h"
#include "seawall/server/h2_frame_heads.h"
#include "seawall/server/h2_preface.h"

namespace {

using namespace seawall;

void check(bool holds) {
  if (!holds) std::abort();
}

class Seen {
 public:
  H2FrameHead head;
  std::size_t behind;  // where its payload begins
};

std::vector<Seen> frames_of(std::string_view bytes, std::size_t piece) {
  H2FrameHeads heads;
  std::vector<Seen> all;
  for (std::size_t from = 0; from < bytes.size(); from += piece) {
    const std::string_view part = bytes.substr(from, piece);
    std::size_t at = 0;
    while (const auto head = heads.next(part, at)) all.push_back({*head, from + at});
  }
  return all;
}

void check_head(const RequestHead& head, bool ends) {
  const std::string_view path = head.path;
  check(path == "*" || path.starts_with('/') || path.empty());
  check(path.find('\0') == std::string_view::npos);
  check(path.find("/../") == std::string_view::npos && !path.ends_with("/.."));
  check(!ends || !head.chunked);  // a body of a length that nobody has told
  for (const Field& field : head.headers.all())
    check(!field.name.empty() && field.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
}

using Inflater = std::unique_ptr<nghttp2_hd_inflater, decltype(&nghttp2_hd_inflate_del)>;

// False: no HPACK, or too much; what follows cannot be understood.
bool unpack(nghttp2_hd_inflater* inflater, std::string_view block, H2HeadReader& reader) {
  while (reader.unpacked() < 1 << 20) {
    nghttp2_nv field;
    int flags = 0;
    const auto n = nghttp2_hd_inflate_hd2(inflater, &field, &flags, reinterpret_cast<const std::uint8_t*>(block.data()), block.size(), 1);
    if (n < 0) return false;
    block.remove_prefix(static_cast<std::size_t>(n));
    if (flags & NGHTTP2_HD_INFLATE_EMIT)
      reader.add({reinterpret_cast<const char*>(field.name), field.namelen}, {reinterpret_cast<const char*>(field.value), field.valuelen}, false);
    if (flags & NGHTTP2_HD_INFLATE_FINAL) return nghttp2_hd_inflate_end_headers(inflater) == 0;
    if (n == 0 && !(flags & NGHTTP2_HD_INFLATE_EMIT)) return false;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  H2Preface at_once, one_by_one;
  const auto whole = at_once.feed(text);
  std::string together;
  for (const char& byte : text)
    if (const auto given = one_by_one.feed({&byte, 1})) {
      together = *given;
      break;
    }
  check(!whole || whole->starts_with(together));
  const std::vector<Seen> frames = frames_of(text, size ? size : 1);
  const std::vector<Seen> slowly = frames_of(text, 1);
  check(frames.size() == slowly.size());
  for (std::size_t i = 0; i < frames.size(); ++i)
    check(frames[i].behind == slowly[i].behind && frames[i].head.length == slowly[i].head.length && frames[i].head.type == slowly[i].head.type);

  nghttp2_hd_inflater* made = nullptr;
  check(nghttp2_hd_inflate_new(&made) == 0);
  const Inflater inflater(made, nghttp2_hd_inflate_del);
  const HeadLimits limits;
  const HeadOptions options;
  H2HeadReader reader(limits, options);
  for (const Seen& frame : frames) {
    if (frame.head.type != NGHTTP2_HEADERS || (frame.head.flags & (NGHTTP2_FLAG_PADDED | NGHTTP2_FLAG_PRIORITY))) continue;
    const bool ends = (frame.head.flags & NGHTTP2_FLAG_END_STREAM) != 0, trailers = frame.head.stream % 4 == 3;
    if (trailers) reader.begin_trailers();
    else reader.begin();
    if (!unpack(inflater.get(), text.substr(frame.behind, frame.head.length), reader)) return 0;
    if (trailers) {
      const Headers fields = reader.finish_trailers();
      if (reader.status() == 0)
        for (const Field& field : fields.all()) check(!field.name.starts_with(':'));
      continue;
    }
    const RequestHead head = reader.finish(frame.head.length, ends);
    if (reader.status() == 0) check_head(head, ends);
    else check(!reader.reason().empty());
  }
  return 0;
}
