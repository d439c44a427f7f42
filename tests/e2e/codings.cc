#include "e2e/codings.h"

#include <zlib.h>

#include <stdexcept>

namespace test {
namespace {

constexpr int kGzip = MAX_WBITS + 16;

// zlib's result, and what could be read.
int undo_gzip(std::string_view bytes, std::string& text) {
  z_stream stream{};
  if (::inflateInit2(&stream, kGzip) != Z_OK) return Z_MEM_ERROR;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  int result = Z_OK;
  while (result == Z_OK) {
    char room[16384];
    stream.next_out = reinterpret_cast<Bytef*>(room);
    stream.avail_out = sizeof room;
    result = ::inflate(&stream, Z_SYNC_FLUSH);
    text.append(room, sizeof room - stream.avail_out);
  }
  ::inflateEnd(&stream);
  return result;
}

}  // namespace

std::string ungzip(std::string_view bytes) {
  std::string text;
  const int result = undo_gzip(bytes, text);
  if (result == Z_STREAM_END || result == Z_BUF_ERROR) return text;
  return result == Z_MEM_ERROR ? "!no memory" : "!no gzip";
}

std::string ungzip_whole(std::string_view bytes) {
  std::string text;
  if (undo_gzip(bytes, text) != Z_STREAM_END) throw std::runtime_error("no whole gzip file");
  return text;
}

std::string gzipped(std::string_view text) {
  z_stream stream{};
  if (::deflateInit2(&stream, 6, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) != Z_OK) return {};
  std::string bytes(::deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_out = static_cast<uInt>(bytes.size());
  ::deflate(&stream, Z_FINISH);
  bytes.resize(stream.total_out);
  ::deflateEnd(&stream);
  return bytes;
}

}  // namespace test
