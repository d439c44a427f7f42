#include "seawall/tls/md5.h"

#include <openssl/evp.h>

#include <memory>

#include "seawall/base/check.h"

namespace seawall {
namespace {

// Looking the algorithm up costs more than a short text does.
const EVP_MD* algorithm() {
  static const EVP_MD* const found = EVP_MD_fetch(nullptr, "MD5", nullptr);
  return found ? found : EVP_md5();
}

}  // namespace

Md5 md5_of(std::initializer_list<std::string_view> parts) {
  thread_local const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> digest(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  Md5 hash;
  CHECK(digest && EVP_DigestInit_ex(digest.get(), algorithm(), nullptr) == 1);
  for (const std::string_view part : parts) CHECK(EVP_DigestUpdate(digest.get(), part.data(), part.size()) == 1);
  CHECK(EVP_DigestFinal_ex(digest.get(), hash.data(), nullptr) == 1);
  return hash;
}

}  // namespace seawall
