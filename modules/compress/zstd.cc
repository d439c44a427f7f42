// Zstandard. The context is kept and reset as gzip's state is.
#include "conf.h"
#include "loop_state.h"

namespace seawall::compress {

namespace {

ZSTD_EndDirective directive_of(Then then) {
  switch (then) {
    case Then::pause: return ZSTD_e_flush;
    case Then::end: return ZSTD_e_end;
    case Then::more: break;
  }
  return ZSTD_e_continue;
}

class ZstdCoder final : public Coder {
 public:
  // `home`: to which the context goes back; null: it dies.
  ZstdCoder(std::unique_ptr<ZstdContext>* home, std::unique_ptr<ZstdContext> context) : home_(home), context_(std::move(context)) {}
  ~ZstdCoder() override {
    if (home_) *home_ = std::move(context_);
  }

  bool code(std::string_view in, Then then, Output& out) override {
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    for (;;) {
      const std::span<char> room = out.room();
      ZSTD_outBuffer to{room.data(), room.size(), 0};
      const std::size_t left = ::ZSTD_compressStream2(context_->get(), &to, &from, directive_of(then));
      if (::ZSTD_isError(left)) return false;
      out.commit(to.pos);
      // Without an end or a pause what is left inside may stay there.
      if (from.pos == from.size && (left == 0 || then == Then::more)) return true;
    }
  }

 private:
  std::unique_ptr<ZstdContext>* const home_;
  std::unique_ptr<ZstdContext> context_;
};

// What a browser must be able to unpack (RFC 9659): no window above 8 MiB.
constexpr int kLargestWindowBits = 23;

}  // namespace

std::unique_ptr<Coder> make_zstd(LoopState& loop, const Conf& conf, std::optional<std::uint64_t> length) {
  const int level = static_cast<int>(*conf.zstd_level);
  const bool slow = level >= kSlowZstd;
  std::unique_ptr<ZstdContext> context;
  if (!slow) context = std::move(loop.zstd);
  if (!context) context = std::make_unique<ZstdContext>();
  ZSTD_CCtx* const c = context->get();
  if (!c) return nullptr;
  ::ZSTD_CCtx_reset(c, ZSTD_reset_session_and_parameters);
  ::ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, level);
  if (level > 19) ::ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, kLargestWindowBits);
  if (length) ::ZSTD_CCtx_setPledgedSrcSize(c, *length);
  return std::make_unique<ZstdCoder>(slow ? nullptr : &loop.zstd, std::move(context));
}

}  // namespace seawall::compress
