#include "seawall/cache/cache_hash.h"

#include <openssl/evp.h>

#include <memory>

#include "seawall/base/check.h"
#include "seawall/base/hex.h"
#include "seawall/base/text.h"

namespace seawall {

namespace {

// Looking the algorithm up costs more than a short text does.
const EVP_MD* md5() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "MD5", nullptr);
  return algorithm ? algorithm : EVP_md5();
}

}  // namespace

CacheHash::CacheHash(std::initializer_list<std::string_view> parts) {
  thread_local const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> digest(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  CHECK(digest && EVP_DigestInit_ex(digest.get(), md5(), nullptr) == 1);
  for (const std::string_view part : parts) CHECK(EVP_DigestUpdate(digest.get(), part.data(), part.size()) == 1);
  CHECK(EVP_DigestFinal_ex(digest.get(), bytes.data(), nullptr) == 1);
}

std::optional<CacheHash> CacheHash::parse(std::string_view hex) {
  CacheHash hash;
  if (hex.size() != 2 * hash.bytes.size()) return std::nullopt;
  for (std::size_t i = 0; i < hash.bytes.size(); ++i) {
    const int high = hex_value(hex[2 * i]), low = hex_value(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    hash.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return hash;
}

std::string CacheHash::hex() const { return hex_of(bytes); }

}  // namespace seawall
