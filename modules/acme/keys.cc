#include "keys.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <memory>

#include "seawall/base/base64.h"
#include "seawall/base/text.h"
#include "seawall/tls/error.h"

namespace seawall::acme {
namespace {

using BnPtr = std::unique_ptr<BIGNUM, OpensslFree<BN_free>>;
using SignaturePtr = std::unique_ptr<ECDSA_SIG, OpensslFree<ECDSA_SIG_free>>;
using DigestPtr = std::unique_ptr<EVP_MD_CTX, OpensslFree<EVP_MD_CTX_free>>;

bool is_rsa(EVP_PKEY* key) {
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
}

const char* curve_of(int bits) {
  return bits == 521 ? "P-521" : bits == 384 ? "P-384" : "P-256";
}
std::size_t bytes_of(int bits) {
  return (static_cast<std::size_t>(bits) + 7) / 8;
}
const EVP_MD* digest_of(EVP_PKEY* key) {
  if (is_rsa(key)) return EVP_sha256();
  const int bits = EVP_PKEY_get_bits(key);
  return bits == 521 ? EVP_sha512() : bits == 384 ? EVP_sha384() : EVP_sha256();
}

bool has_algorithm(EVP_PKEY* key) {
  if (is_rsa(key)) return EVP_PKEY_get_bits(key) >= 2048;
  char group[32];
  if (EVP_PKEY_get_group_name(key, group, sizeof group, nullptr) != 1) return false;
  const std::string_view name = group;
  return name == SN_X9_62_prime256v1 || name == SN_secp384r1 || name == SN_secp521r1;
}

std::string bytes_of(const BIGNUM* number, std::size_t size) {
  std::string bytes(size, '\0');
  if (BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(size)) < 0)
    fail_openssl("BN_bn2binpad()");
  return bytes;
}

std::string member(EVP_PKEY* key, const char* name, std::size_t size = 0) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &number) != 1) fail_openssl("EVP_PKEY_get_bn_param()");
  const BnPtr owner(number);
  return base64url(bytes_of(number, size ? size : static_cast<std::size_t>(BN_num_bytes(number))));
}

// JWS has r and s beside each other, OpenSSL a DER sequence of them (RFC 7518 3.4).
std::string plain_signature(const std::string& der, std::size_t size) {
  const auto* from = reinterpret_cast<const unsigned char*>(der.data());
  const SignaturePtr signature(d2i_ECDSA_SIG(nullptr, &from, static_cast<long>(der.size())));
  if (!signature) fail_openssl("d2i_ECDSA_SIG()");
  return bytes_of(ECDSA_SIG_get0_r(signature.get()), size) + bytes_of(ECDSA_SIG_get0_s(signature.get()), size);
}

}  // namespace

[[noreturn]] void fail_openssl(const std::string& call) {
  throw AcmeError(call + " failed " + openssl_errors());
}

KeyType KeyType::parse(std::string_view word) {
  KeyType type;
  const auto colon = word.find(':');
  const std::string_view name = word.substr(0, colon);
  type.rsa = name == "rsa";
  if (!type.rsa && name != "ecdsa") throw AcmeError("unsupported key type \"" + std::string(word) + "\"");
  if (type.rsa) type.bits = 2048;
  if (colon == std::string_view::npos) return type;
  const auto bits = parse_decimal(word.substr(colon + 1));
  const bool fits =
      bits && (type.rsa ? *bits == 2048 || *bits == 3072 || *bits == 4096 : *bits == 256 || *bits == 384 || *bits == 521);
  if (!fits) throw AcmeError("unsupported key type \"" + std::string(word) + "\"");
  type.bits = static_cast<int>(*bits);
  return type;
}

std::string KeyType::text() const {
  return (rsa ? "rsa:" : "ecdsa:") + std::to_string(bits);
}

KeyPtr make_key(KeyType type) {
  KeyPtr key(type.rsa ? EVP_RSA_gen(static_cast<unsigned>(type.bits)) : EVP_EC_gen(curve_of(type.bits)));
  if (!key) fail_openssl("EVP_PKEY_generate()");
  return key;
}

KeyPtr key_from(const std::string& pem) {
  try {
    KeyPtr key = parse_key(pem, {});
    if (!has_algorithm(key.get())) throw AcmeError("the key is neither RSA of 2048 bits or more nor on P-256, P-384 or P-521");
    return key;
  } catch (const TlsError& error) {
    throw AcmeError(error.what());
  }
}

std::string pem_of(EVP_PKEY* key) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
    fail_openssl("PEM_write_bio_PrivateKey()");
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

std::string base64url(std::string_view bytes) {
  static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  std::uint32_t pool = 0;
  int bits = 0;
  for (const char c : bytes) {
    pool = pool << 8 | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 6; bits -= 6) text += digits[pool >> (bits - 6) & 63];
  }
  if (bits > 0) text += digits[pool << (6 - bits) & 63];
  return text;
}

std::string from_base64url(std::string_view text) {
  std::string plain(text);
  for (char& c : plain) c = c == '-' ? '+' : c == '_' ? '/' : c;
  const auto bytes = decode_base64(plain);
  if (!bytes) throw AcmeError("it is not base64url");
  return *bytes;
}

bool is_base64url(std::string_view text, std::size_t most) {
  const auto fits = [](char c) { return is_alpha(c) || is_digit(c) || c == '-' || c == '_'; };
  return !text.empty() && text.size() <= most && std::all_of(text.begin(), text.end(), fits);
}

std::string sha256(std::string_view bytes) {
  std::string digest(32, '\0');
  if (EVP_Q_digest(nullptr, "SHA256", nullptr, bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()),
                   nullptr) != 1)
    fail_openssl("EVP_Q_digest()");
  return digest;
}

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  unsigned char out[32];
  unsigned size = 0;
  if (!HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(bytes.data()),
            bytes.size(), out, &size))
    fail_openssl("HMAC()");
  return std::string(reinterpret_cast<char*>(out), size);
}

std::string algorithm_of(EVP_PKEY* key) {
  if (is_rsa(key)) return "RS256";
  const int bits = EVP_PKEY_get_bits(key);
  return bits == 521 ? "ES512" : bits == 384 ? "ES384" : "ES256";
}

std::string jwk_of(EVP_PKEY* key) {
  if (is_rsa(key))
    return R"({"e":")" + member(key, OSSL_PKEY_PARAM_RSA_E) + R"(","kty":"RSA","n":")" + member(key, OSSL_PKEY_PARAM_RSA_N) +
           "\"}";
  const int bits = EVP_PKEY_get_bits(key);
  const std::size_t size = bytes_of(bits);
  return std::string(R"({"crv":")") + curve_of(bits) + R"(","kty":"EC","x":")" + member(key, OSSL_PKEY_PARAM_EC_PUB_X, size) +
         R"(","y":")" + member(key, OSSL_PKEY_PARAM_EC_PUB_Y, size) + "\"}";
}

std::string thumbprint_of(EVP_PKEY* key) {
  return base64url(sha256(jwk_of(key)));
}

std::string sign(EVP_PKEY* key, std::string_view bytes) {
  const DigestPtr context(EVP_MD_CTX_new());
  const auto* from = reinterpret_cast<const unsigned char*>(bytes.data());
  std::size_t size = 0;
  if (EVP_DigestSignInit(context.get(), nullptr, digest_of(key), nullptr, key) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, from, bytes.size()) != 1)
    fail_openssl("EVP_DigestSign()");
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, from, bytes.size()) != 1)
    fail_openssl("EVP_DigestSign()");
  signature.resize(size);
  return is_rsa(key) ? signature : plain_signature(signature, bytes_of(EVP_PKEY_get_bits(key)));
}

}  // namespace seawall::acme
