// A chunked body. Input: where to cut it, two bytes, then the body. The cut must make no difference.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "seawall/http/h1_body.h"

namespace {

using namespace seawall;

class Decoded {
 public:
  bool failed = false, done = false;
  std::size_t consumed = 0;
  std::string data;
};

Decoded decode(std::string_view text, std::size_t cut) {
  Decoded all;
  ChunkedDecoder decoder;
  for (const std::string_view piece : {text.substr(0, cut), text.substr(cut)}) {
    if (all.done || all.failed) break;
    const Result<ChunkedDecoder::Fed> fed = decoder.feed(piece);
    all.failed = !fed;
    if (!fed) break;
    for (const auto data : fed->data) all.data += data;
    all.consumed += fed->consumed;
    all.done = fed->done;
  }
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::size_t cut = std::min<std::size_t>(static_cast<std::size_t>(data[0] << 8 | data[1]), text.size());
  const Decoded whole = decode(text, text.size()), pieces = decode(text, cut);
  if (whole.failed != pieces.failed || whole.done != pieces.done) std::abort();
  if (!whole.failed && (whole.consumed != pieces.consumed || whole.data != pieces.data)) std::abort();
  if (whole.consumed > text.size() || whole.data.size() > text.size()) std::abort();
  return 0;
}
