// After "SipHash: a fast short-input PRF" (Aumasson, Bernstein 2012), with one round a word and three at the end.
#include "seawall/base/keyed_hash.h"

#include <sys/random.h>

#include <bit>
#include <cstring>

#include "seawall/base/check.h"

namespace seawall {
namespace {

class State {
 public:
  explicit State(const HashKey& key)
      : a_(key.words[0] ^ 0x736f6d6570736575), b_(key.words[1] ^ 0x646f72616e646f6d), c_(key.words[0] ^ 0x6c7967656e657261),
        d_(key.words[1] ^ 0x7465646279746573) {}
  void add(std::uint64_t word) {
    d_ ^= word;
    round();
    a_ ^= word;
  }
  std::uint64_t finish() {
    c_ ^= 0xff;
    for (int i = 0; i < 3; ++i) round();
    return a_ ^ b_ ^ c_ ^ d_;
  }

 private:
  void round() {
    a_ += b_;
    b_ = std::rotl(b_, 13) ^ a_;
    a_ = std::rotl(a_, 32);
    c_ += d_;
    d_ = std::rotl(d_, 16) ^ c_;
    a_ += d_;
    d_ = std::rotl(d_, 21) ^ a_;
    c_ += b_;
    b_ = std::rotl(b_, 17) ^ c_;
    c_ = std::rotl(c_, 32);
  }
  std::uint64_t a_, b_, c_, d_;
};

}  // namespace

HashKey HashKey::random() {
  HashKey key;
  CHECK(::getrandom(key.words.data(), sizeof key.words, 0) == sizeof key.words);
  return key;
}

std::uint64_t keyed_hash(const HashKey& key, std::string_view text) {
  State state(key);
  const std::uint64_t length = text.size();
  std::uint64_t word;
  for (; text.size() >= 8; text.remove_prefix(8)) {
    std::memcpy(&word, text.data(), 8);
    state.add(word);
  }
  word = 0;
  std::memcpy(&word, text.data(), text.size());
  state.add(word | length << 56);
  return state.finish();
}

}  // namespace seawall
