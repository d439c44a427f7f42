#include "known_good.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <string>

#include "seawall/base/check.h"

namespace seawall::auth_basic {

KnownGood::KnownGood() { CHECK(RAND_bytes(key_.data(), static_cast<int>(key_.size())) == 1); }

// The length keeps apart where the one text ends and the other begins.
KnownGood::Digest KnownGood::digest_of(std::string_view password, std::string_view stored) const {
  std::string text = std::to_string(stored.size()) + ":";
  text.append(stored).append(password);
  Digest digest;
  unsigned size = 0;
  CHECK(HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()), reinterpret_cast<const unsigned char*>(text.data()),
             text.size(), digest.data(), &size));
  return digest;
}

void KnownGood::add(const Digest& digest) {
  if (digests_.size() >= kMost) digests_.clear();
  digests_.insert(digest);
}

}  // namespace seawall::auth_basic
