#include "gunzip.h"

#include <zlib.h>

#include "seawall/base/buffer.h"
#include "seawall/server/exchange.h"

namespace seawall::compress {
namespace {

// What one read makes at most: a few bytes of gzip may stand for a thousand times as many.
constexpr std::size_t kPiece = 32 * 1024;

class Inflated final : public Reader {
 public:
  Inflated(Exchange& x, std::unique_ptr<Reader> body) : x_(x), body_(std::move(body)) {}
  ~Inflated() override { ::inflateEnd(&stream_); }
  bool start() { return ::inflateInit2(&stream_, MAX_WBITS + 16) == Z_OK; }

  Task<Result<Piece>> read() override {
    for (;;) {
      if (in_.empty() && !more_inside_ && !last_) {
        Result<Piece> piece = co_await body_->read();
        if (!piece) co_return piece.error();
        in_ = std::move(piece->data);
        last_ = piece->last;
        if (in_.empty() && !last_) co_return Piece(Slice(), false);
      }
      Ref<Block> block = Block::make(kPiece);
      Result<std::size_t> size = inflate(*block);
      if (!size) co_return size.error();
      const bool ended = last_ && in_.empty() && !more_inside_;
      if (ended && !at_end_) co_return failed("ended too soon");
      if (*size == 0 && !ended) continue;
      const std::string_view bytes(block->data(), *size);
      co_return Piece(Slice(std::move(block), bytes), ended);
    }
  }
  Headers trailers() override { return body_->trailers(); }

 private:
  // As much as fits. gzip files may follow each other (RFC 1952 2.2).
  Result<std::size_t> inflate(Block& block) {
    stream_.next_out = reinterpret_cast<Bytef*>(block.data());
    stream_.avail_out = static_cast<uInt>(block.capacity());
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in_.data()));
    stream_.avail_in = static_cast<uInt>(in_.size());
    int result = Z_OK;
    while (stream_.avail_out > 0 && (stream_.avail_in > 0 || more_inside_)) {
      if (at_end_) ::inflateReset(&stream_);
      at_end_ = more_inside_ = false;
      result = ::inflate(&stream_, Z_NO_FLUSH);
      if (result == Z_BUF_ERROR) break;
      if (result != Z_OK && result != Z_STREAM_END) return failed("failed: " + std::to_string(result));
      at_end_ = result == Z_STREAM_END;
      more_inside_ = !at_end_ && stream_.avail_out == 0;
    }
    const std::size_t made = block.capacity() - stream_.avail_out;
    in_ = in_.sub(in_.size() - stream_.avail_in);
    return made;
  }
  std::error_code failed(const std::string& how) {
    x_.log(Level::error, "inflate() " + how + " while unpacking a response");
    return make_error_code(Errc::truncated);
  }

  Exchange& x_;
  std::unique_ptr<Reader> body_;
  z_stream stream_{};
  Slice in_;
  bool last_ = false, at_end_ = false;
  bool more_inside_ = false;  // zlib may have output for which there was no room
};

}  // namespace

std::unique_ptr<Reader> gunzip(Exchange& x, std::unique_ptr<Reader> body) {
  auto inflated = std::make_unique<Inflated>(x, std::move(body));
  if (!inflated->start()) return nullptr;
  return inflated;
}

}  // namespace seawall::compress
