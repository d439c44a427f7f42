// TlsContext: what a server block says about TLS, as an SSL_CTX. Made at start-up, shared by all loops, lives as long as the
// configuration; renew() gives it new certificates while connections use it.
#pragma once
#include <openssl/ssl.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "seawall/base/export.h"
#include "seawall/tls/given_certificate.h"
#include "seawall/tls/pem.h"
#include "seawall/tls/renewal.h"

namespace seawall {

// ssl_verify_client. Whatever it is, the handshake goes on: the request is refused (495, 496), so that it can be explained.
enum class VerifyClient : std::uint8_t { off, on, optional, optional_no_ca };

class TlsSettings {
 public:
  class Pair {
   public:
    std::string certificate;  // PEM, leaf first, then its chain
    std::string key;
  };
  std::vector<Pair> pairs;
  // The names have variables: SniSelector::load_certificates gives each connection its own.
  bool pairs_vary = false;
  bool pairs_asked = false;               // each connection asks somebody else as well (SniSelector::ask)
  // One that is brought while the server runs, instead of pairs; null: none.
  std::shared_ptr<GivenCertificate> given;
  std::vector<std::string> passwords;     // tried on encrypted keys
  // The defaults are Mozilla's Intermediate without DHE: TLS 1.2 and 1.3, ECDHE with AEAD (B3-B8).
  int min_version = TLS1_2_VERSION;
  int max_version = TLS1_3_VERSION;
  std::vector<int> disabled_versions;     // holes inside the range (ssl_protocols TLSv1 TLSv1.2)
  std::string ciphers;                    // empty: the default list; OpenSSL's cipher list language (TLS 1.2 and older)
  std::string groups = "auto";            // ssl_ecdh_curve; auto: the fast ones
  bool prefer_server_ciphers = true;
  std::string dhparam;                    // a PEM file; empty: no DHE

  VerifyClient verify = VerifyClient::off;
  int verify_depth = 1;
  std::string client_certificate, trusted_certificate, crl;  // authorities named to clients; not named; revoked
  std::vector<std::pair<std::string, std::string>> commands;  // ssl_conf_command, paths absolute

  bool session_tickets = true;
  bool session_ids = true;                // false: not even for show (ssl_session_cache off)
  std::int64_t builtin_sessions = 0;      // sessions of a cache of its own; 0: none
  std::string session_cache;              // the name of a shared one; empty: none
  std::int64_t session_cache_size = 0;    // of that, bytes
  std::chrono::seconds session_timeout{300};
  std::vector<std::string> ticket_keys;   // files, the first seals; empty: keys that rotate

  bool early_data = false;                // from clients that resume (0-RTT)
  std::size_t record_size = 0;            // the longest record; 0: short ones first, then the longest there are
  bool stapling = false;
  bool stapling_verify = false;           // also the chain of who signed the response
  std::string stapling_file;              // DER; empty: fetched
  std::string stapling_responder;         // empty: the one the certificate names

  // The files that renew() reads, none of them twice; none where OpenSSL reads some by itself (commands that name a file).
  std::vector<std::string> files() const;
};

class SEAWALL_API TlsContext {
 public:
  using Handle = std::shared_ptr<SSL_CTX>;

  // Throws TlsError in nginx's wording: cannot load certificate "x": BIO_new_file() failed (SSL: error:...).
  static std::shared_ptr<TlsContext> make(TlsSettings settings, const PemFiles& files = PemFiles());

  // What new connections take; those that are open keep what they have. Any thread.
  Handle current() const;
  // Everything anew from these files; TlsError: as it was. One thread at a time.
  void renew(const PemFiles& files);
  // The same with the certificate that was given, and the files as they were read last.
  void renew_given() { renew(files_); }

  const TlsSettings& settings() const { return settings_; }
  // Of settings().files(), from before they were read the first time.
  const FileStamps& stamps() const { return stamps_; }
  // What is not as it was asked for, but no mistake: "ssl_stapling" ignored, ... Of the last make or renew.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  explicit TlsContext(TlsSettings settings) : settings_(std::move(settings)) {}
  const TlsSettings settings_;
  FileStamps stamps_;
  std::vector<std::string> warnings_;
  GivenFiles files_;  // of settings().files(), where a certificate is given: whoever brings it may not read them
  mutable std::mutex mutex_;
  Handle current_;
};

// Suites of these settings without forward secrecy, by name: worth a warning (B7).
SEAWALL_API std::vector<std::string> suites_without_forward_secrecy(const TlsContext& context);

}  // namespace seawall
