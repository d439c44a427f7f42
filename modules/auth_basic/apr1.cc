#include "apr1.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>

#include "seawall/base/check.h"

namespace seawall::auth_basic {
namespace {

constexpr std::size_t kDigest = 16;
constexpr int kRounds = 1000;

class Md5 {
 public:
  Md5() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) { CHECK(EVP_DigestInit_ex(context_.get(), EVP_md5(), nullptr) == 1); }
  Md5& add(std::string_view bytes) {
    CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
    return *this;
  }
  std::string end() {
    std::array<unsigned char, kDigest> digest;
    CHECK(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1);
    return {digest.begin(), digest.end()};
  }

 private:
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
};

std::string first_digest(std::string_view password, std::string_view salt) {
  const std::string inner = Md5().add(password).add(salt).add(password).end();
  Md5 md5;
  md5.add(password).add("$apr1$").add(salt);
  for (std::size_t left = password.size(); left > 0; left -= std::min(left, kDigest))
    md5.add(std::string_view(inner).substr(0, std::min(left, kDigest)));
  // One byte for each bit of the length: a NUL, or the password's first.
  for (std::size_t bits = password.size(); bits > 0; bits >>= 1)
    md5.add(bits & 1 ? std::string_view("\0", 1) : password.substr(0, 1));
  return md5.end();
}

std::string next_digest(const std::string& last, int round, std::string_view password, std::string_view salt) {
  const bool odd = round % 2 == 1;
  Md5 md5;
  md5.add(odd ? password : last);
  if (round % 3 != 0) md5.add(salt);
  if (round % 7 != 0) md5.add(password);
  return md5.add(odd ? std::string_view(last) : password).end();
}

// crypt()'s base 64: six bits a character, the lowest first.
void append_bits(std::string& out, unsigned bits, int characters) {
  static constexpr char digits[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  for (; characters > 0; --characters, bits >>= 6) out.push_back(digits[bits & 63]);
}

}  // namespace

std::string apr1(std::string_view password, std::string_view setting) {
  const std::string_view salt = setting.substr(0, std::min<std::size_t>(setting.find('$'), 8));
  std::string digest = first_digest(password, salt);
  for (int round = 0; round < kRounds; ++round) digest = next_digest(digest, round, password, salt);
  const auto byte = [&](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(digest[i])); };
  std::string out = "$apr1$" + std::string(salt) + "$";
  for (std::size_t i = 0; i < 5; ++i) {
    const std::size_t third = i == 4 ? 5 : i + 12;
    append_bits(out, byte(i) << 16 | byte(i + 6) << 8 | byte(third), 4);
  }
  append_bits(out, byte(11), 2);
  return out;
}

}  // namespace seawall::auth_basic
