// Keys and signatures of the ACME client (RFC 7515 to 7518, 7638). Any thread. Errors: AcmeError.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "error.h"
#include "seawall/tls/pem.h"

namespace seawall::acme {

// key=ecdsa[:256|384|521] or key=rsa[:2048|3072|4096].
class KeyType {
 public:
  static KeyType parse(std::string_view word);  // AcmeError: unknown
  std::string text() const;
  bool rsa = false;
  int bits = 256;
};

KeyPtr make_key(KeyType type);
KeyPtr key_from(const std::string& pem);  // AcmeError, too: of a kind that ACME has no algorithm for
std::string pem_of(EVP_PKEY* key);

std::string base64url(std::string_view bytes);
std::string from_base64url(std::string_view text);
bool is_base64url(std::string_view text, std::size_t most);  // not empty, and no longer
std::string sha256(std::string_view bytes);
std::string hmac_sha256(std::string_view key, std::string_view bytes);

// What a JWS says of who has signed it: the algorithm's name, the public key as JSON with its members in RFC 7638's order, the
// key's thumbprint, the signature.
std::string algorithm_of(EVP_PKEY* key);
std::string jwk_of(EVP_PKEY* key);
std::string thumbprint_of(EVP_PKEY* key);
std::string sign(EVP_PKEY* key, std::string_view bytes);

[[noreturn]] void fail_openssl(const std::string& call);

}  // namespace seawall::acme
