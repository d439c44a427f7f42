#include "password.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <cerrno>
#include <memory>

#include "apr1.h"
#include "seawall/base/base64.h"

namespace seawall::auth_basic {
namespace {

constexpr std::string_view kPlain = "{PLAIN}", kSha = "{SHA}", kSaltedSha = "{SSHA}", kApr1 = "$apr1$";

Match same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0 ? Match::yes : Match::no;
}

// base64(SHA-1(password salt) salt)
Match match_sha(const std::string& password, std::string_view encoded, bool salted) {
  const auto decoded = decode_base64(encoded);
  if (!decoded || decoded->size() < SHA_DIGEST_LENGTH) return Match::no;
  const std::string_view stored(*decoded);
  const std::string_view salt = stored.substr(SHA_DIGEST_LENGTH);
  if (!salted && !salt.empty()) return Match::no;
  const std::string text = password + std::string(salt);
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return same({reinterpret_cast<const char*>(digest), sizeof digest}, stored.substr(0, SHA_DIGEST_LENGTH));
}

// A setting that the library cannot read lets nobody in. (crypt_r is crypt_rn but for its errors; sanitizers replace it by one that
// looks for the library where the program is linked, not the module.)
Match match_crypt(const std::string& password, const std::string& stored) {
  const auto memory = std::make_unique<crypt_data>();  // 32 KiB
  const char* hash = crypt_rn(password.c_str(), stored.c_str(), memory.get(), sizeof *memory);
  if (!hash) return errno == ENOMEM ? Match::failed : Match::no;
  const Match match = same(hash, stored);
  OPENSSL_cleanse(memory.get(), sizeof *memory);
  return match;
}

}  // namespace

bool is_quick(std::string_view stored) {
  return stored.starts_with(kPlain) || stored.starts_with(kSha) || stored.starts_with(kSaltedSha);
}

Match match_password(const std::string& password, const std::string& stored) {
  const std::string_view text(stored);
  if (text.starts_with(kPlain)) return same(password, text.substr(kPlain.size()));
  if (text.starts_with(kSha)) return match_sha(password, text.substr(kSha.size()), false);
  if (text.starts_with(kSaltedSha)) return match_sha(password, text.substr(kSaltedSha.size()), true);
  if (text.starts_with(kApr1)) return same(apr1(password, text.substr(kApr1.size())), text);
  if (password.find('\0') != std::string::npos) return Match::no;  // to crypt() it would end there
  return match_crypt(password, stored);
}

}  // namespace seawall::auth_basic
