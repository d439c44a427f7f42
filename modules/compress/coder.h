// Coder: turns the bytes of one response into those of a content coding. What is dear to make (a deflate state) is lent by
// the loop and given back when the Coder dies. One loop.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "output.h"

namespace seawall::compress {

class Conf;
class LoopState;

// What follows the bytes given: more of them, a pause (everything so far must be readable for the client), or nothing.
enum class Then : std::uint8_t { more, pause, end };

class Coder {
 public:
  virtual ~Coder() = default;
  // Appends what can be said already to `out`. False: no memory.
  virtual bool code(std::string_view in, Then then, Output& out) = 0;
};

// `length`: of the whole body, when it is known. Null: no memory.
std::unique_ptr<Coder> make_gzip(LoopState& loop, const Conf& conf, std::optional<std::uint64_t> length);
std::unique_ptr<Coder> make_brotli(LoopState& loop, const Conf& conf, std::optional<std::uint64_t> length);
std::unique_ptr<Coder> make_zstd(LoopState& loop, const Conf& conf, std::optional<std::uint64_t> length);

}  // namespace seawall::compress
