#include "seawall/server/websocket_key.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "seawall/base/check.h"

namespace seawall {
namespace {

std::string base64_of(const unsigned char* bytes, int size) {
  unsigned char text[64];
  CHECK(size <= 40);
  const int length = EVP_EncodeBlock(text, bytes, size);
  return std::string(reinterpret_cast<char*>(text), static_cast<std::size_t>(length));
}

}  // namespace

std::string make_websocket_key() {
  unsigned char key[16];
  CHECK(RAND_bytes(key, sizeof key) == 1);
  return base64_of(key, sizeof key);
}

// RFC 6455 4.2.2.
std::string websocket_accept(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return base64_of(digest, sizeof digest);
}

}  // namespace seawall
