// The encoders of a loop: lent to one response at a time and kept for the next. One of each is enough: what fits into memory
// is compressed at once, and only streams hold theirs for long. One loop.
#pragma once
#include <zlib.h>
#include <zstd.h>

#include <memory>

#include "conf.h"
#include "kept_bodies.h"
#include "seawall/net/offload.h"

namespace seawall::compress {

// zlib's deflate with a gzip head, some 260 KiB.
class Deflater {
 public:
  Deflater(int level, int window_bits, int memory_level)
      : level_(level), window_bits_(window_bits), memory_level_(memory_level) {}
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  ~Deflater() { ::deflateEnd(&stream_); }

  bool start() {
    constexpr int gzip_wrapper = 16;
    return ::deflateInit2(&stream_, level_, Z_DEFLATED, window_bits_ + gzip_wrapper, memory_level_, Z_DEFAULT_STRATEGY) == Z_OK;
  }
  void reset() { ::deflateReset(&stream_); }
  bool is(int level, int window_bits, int memory_level) const {
    return level == level_ && window_bits == window_bits_ && memory_level == memory_level_;
  }
  z_stream& stream() { return stream_; }

 private:
  z_stream stream_{};
  const int level_, window_bits_, memory_level_;
};

class ZstdContext {
 public:
  ZstdContext() : context_(::ZSTD_createCCtx()) {}
  ZstdContext(const ZstdContext&) = delete;
  ZstdContext& operator=(const ZstdContext&) = delete;
  ~ZstdContext() { ::ZSTD_freeCCtx(context_); }
  ZSTD_CCtx* get() const { return context_; }

 private:
  ZSTD_CCtx* const context_;
};

class LoopState {
 public:
  LoopState(Loop&, const Conf&) {}
  std::unique_ptr<Deflater> deflater;
  std::unique_ptr<ZstdContext> zstd;
  KeptBodies kept;
  ThreadPool slow{1, 4096};  // the last: it ends before what its jobs may hold
};

}  // namespace seawall::compress
