// Brotli, whose encoder cannot be used again: it is made for each response.
#include <brotli/encode.h>

#include <algorithm>

#include "conf.h"

namespace seawall::compress {
namespace {

BrotliEncoderOperation operation_of(Then then) {
  switch (then) {
    case Then::pause: return BROTLI_OPERATION_FLUSH;
    case Then::end: return BROTLI_OPERATION_FINISH;
    case Then::more: break;
  }
  return BROTLI_OPERATION_PROCESS;
}

class BrotliCoder final : public Coder {
 public:
  explicit BrotliCoder(BrotliEncoderState* state) : state_(state) {}
  ~BrotliCoder() override { BrotliEncoderDestroyInstance(state_); }
  BrotliCoder(const BrotliCoder&) = delete;
  BrotliCoder& operator=(const BrotliCoder&) = delete;

  bool code(std::string_view in, Then then, Output& out) override {
    std::size_t left = in.size();
    auto* next = reinterpret_cast<const std::uint8_t*>(in.data());
    do {
      const std::span<char> room = out.room();
      std::size_t free = room.size();
      auto* to = reinterpret_cast<std::uint8_t*>(room.data());
      if (!BrotliEncoderCompressStream(state_, operation_of(then), &left, &next, &free, &to, nullptr)) return false;
      out.commit(room.size() - free);
    } while (left > 0 || BrotliEncoderHasMoreOutput(state_) || (then == Then::end && !BrotliEncoderIsFinished(state_)));
    return true;
  }

 private:
  BrotliEncoderState* const state_;
};

}  // namespace

std::unique_ptr<Coder> make_brotli(LoopState&, const Conf& conf, std::optional<std::uint64_t> length) {
  BrotliEncoderState* state = BrotliEncoderCreateInstance(nullptr, nullptr, nullptr);
  if (!state) return nullptr;
  auto coder = std::make_unique<BrotliCoder>(state);
  int window = *conf.brotli_window_bits;
  if (length) {
    const auto hint = static_cast<std::uint32_t>(std::min<std::uint64_t>(*length, UINT32_MAX));
    BrotliEncoderSetParameter(state, BROTLI_PARAM_SIZE_HINT, hint);
    while (window > BROTLI_MIN_WINDOW_BITS && (std::uint64_t(1) << (window - 1)) >= *length + 16) --window;
  }
  BrotliEncoderSetParameter(state, BROTLI_PARAM_QUALITY, static_cast<std::uint32_t>(*conf.brotli_level));
  BrotliEncoderSetParameter(state, BROTLI_PARAM_LGWIN, static_cast<std::uint32_t>(window));
  return coder;
}

}  // namespace seawall::compress
