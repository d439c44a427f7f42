// gzip by zlib. Its state (some 260 KiB) is reset, not made anew, for each response.
#include "conf.h"
#include "loop_state.h"
#include "seawall/base/check.h"

namespace seawall::compress {

namespace {

int flush_of(Then then) {
  switch (then) {
    case Then::pause: return Z_SYNC_FLUSH;
    case Then::end: return Z_FINISH;
    case Then::more: break;
  }
  return Z_NO_FLUSH;
}

class GzipCoder final : public Coder {
 public:
  GzipCoder(std::unique_ptr<Deflater>& home, std::unique_ptr<Deflater> deflater)
      : home_(home), deflater_(std::move(deflater)) {}
  ~GzipCoder() override {
    deflater_->reset();
    home_ = std::move(deflater_);
  }

  bool code(std::string_view in, Then then, Output& out) override {
    z_stream& stream = deflater_->stream();
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream.avail_in = static_cast<uInt>(in.size());
    do {
      const std::span<char> room = out.room();
      stream.next_out = reinterpret_cast<Bytef*>(room.data());
      stream.avail_out = static_cast<uInt>(room.size());
      const int result = ::deflate(&stream, flush_of(then));
      CHECK(result != Z_STREAM_ERROR);
      out.commit(room.size() - stream.avail_out);
    } while (stream.avail_out == 0);
    return true;
  }

 private:
  std::unique_ptr<Deflater>& home_;
  std::unique_ptr<Deflater> deflater_;
};

}  // namespace

std::unique_ptr<Coder> make_gzip(LoopState& loop, const Conf& conf, std::optional<std::uint64_t>) {
  const int level = static_cast<int>(*conf.gzip_level), window = *conf.window_bits, memory = *conf.memory_level;
  std::unique_ptr<Deflater> deflater = std::move(loop.deflater);
  if (!deflater || !deflater->is(level, window, memory)) {
    deflater = std::make_unique<Deflater>(level, window, memory);
    if (!deflater->start()) return nullptr;
  }
  return std::make_unique<GzipCoder>(loop.deflater, std::move(deflater));
}

}  // namespace seawall::compress
