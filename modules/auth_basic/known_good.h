// Passwords that were right lately, so that a page with fifty pictures does not compute fifty slow hashes. Kept as digests under
// a key of the process's own; what is stored for the user is part of them: another password in the file is another digest.
// One loop.
#pragma once
#include <array>
#include <set>
#include <string_view>

namespace seawall::auth_basic {

class KnownGood {
 public:
  using Digest = std::array<unsigned char, 32>;
  KnownGood();
  Digest digest_of(std::string_view password, std::string_view stored) const;
  bool has(const Digest& digest) const { return digests_.contains(digest); }
  void add(const Digest& digest);

 private:
  static constexpr std::size_t kMost = 4096;
  std::array<unsigned char, 32> key_;
  std::set<Digest> digests_;
};

}  // namespace seawall::auth_basic
