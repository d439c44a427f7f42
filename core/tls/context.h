// TlsContext: what a server block says about TLS, as an SSL_CTX. Made at start-up, shared by all loops (SSL_CTX is
// thread-safe), lives as long as the configuration.
#pragma once
#include <openssl/ssl.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "seawall/base/export.h"

namespace seawall {

class TlsSettings {
 public:
  std::vector<std::string> certificates;  // PEM files, leaf first; pairs with keys by position
  std::vector<std::string> keys;
  std::vector<std::string> passwords;     // tried on encrypted keys
  // The defaults are Mozilla's Intermediate without DHE: TLS 1.2 and 1.3, ECDHE with AEAD (B3-B8).
  int min_version = TLS1_2_VERSION;
  int max_version = TLS1_3_VERSION;
  std::vector<int> disabled_versions;     // holes inside the range (ssl_protocols TLSv1 TLSv1.2)
  std::string ciphers;                    // empty: the default list; OpenSSL's cipher list language (TLS 1.2 and older)
  std::string groups = "X25519:P-256";    // ssl_ecdh_curve
  bool prefer_server_ciphers = true;
  std::string dhparam;                    // a PEM file; empty: no DHE
  bool session_tickets = true;
  bool session_cache = false;             // a cache by session id, shared by all loops
  long session_cache_entries = 20480;
  std::chrono::seconds session_timeout{300};
};

class SEAWALL_API TlsContext {
 public:
  // Throws TlsError in nginx's wording: cannot load certificate "x": BIO_new_file() failed (SSL: error:...).
  static std::shared_ptr<TlsContext> make(const TlsSettings& settings);
  ~TlsContext();
  SSL_CTX* get() const { return ctx_; }
  bool has_certificate() const { return has_certificate_; }

 private:
  explicit TlsContext(SSL_CTX* ctx) : ctx_(ctx) {}
  SSL_CTX* ctx_;
  bool has_certificate_ = false;
};

// The first error in OpenSSL's queue as nginx prints it, "(SSL: error:0A000086:SSL routines::...)"; empties the queue.
SEAWALL_API std::string openssl_errors();

}  // namespace seawall
