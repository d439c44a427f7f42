// Stapling: the OCSP response of a certificate, which handshakes carry to clients that ask. Taken from ssl_stapling_file, or
// fetched by somebody else (server/staple_fetch.h) with what is said here. Any thread.
#pragma once
#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "seawall/net/address.h"
#include "seawall/tls/context.h"
#include "seawall/tls/ocsp_query.h"

namespace seawall {

// Where to ask for responses.
class Responder {
 public:
  std::string url;
  std::string host, path;
  std::vector<Address> addresses;
  // "http://host[:port][/path]"; the host is looked up. TlsError: what is wrong with it, "invalid URL prefix".
  static Responder parse(const std::string& url);
};

class SEAWALL_API Staple {
 public:
  // `name`: the certificate's file, for the log. A null issuer: the response is given, not fetched.
  Staple(std::string name, X509Ptr certificate) : name_(std::move(name)), certificate_(std::move(certificate)) {}
  void fetch_from(Responder responder, X509Ptr issuer, std::vector<X509Ptr> chain, X509_STORE* store, bool verify);
  void set(std::string response, std::int64_t valid_until);
  // Goes on with the response of a staple of the same certificate.
  void continue_from(const Staple& before);

  const std::string& name() const { return name_; }
  bool is_of(const X509* certificate) const { return X509_cmp(certificate_.get(), certificate) == 0; }
  std::string response(std::int64_t now) const;  // empty: none that is valid

  bool is_fetched() const { return query_ != nullptr; }
  const Responder& responder() const { return responder_; }
  std::string request() const { return query_->request(); }  // DER in base64
  // Checks a response and takes it over. TlsError: what is wrong with it.
  void take(const std::string& response, std::int64_t now);
  void failed(std::int64_t now);                 // asks again soon, then less and less often
  std::int64_t due() const { return due_; }      // when to ask, in seconds; of the fetching thread

 private:
  const std::string name_;
  const X509Ptr certificate_;
  std::unique_ptr<OcspQuery> query_;  // null: given, not fetched
  Responder responder_;
  std::int64_t due_ = 0, pause_ = 0;
  mutable std::mutex mutex_;
  std::string response_;
  std::int64_t valid_until_ = 0;
};

using Staples = std::vector<std::shared_ptr<Staple>>;
// Those of a context's certificates.
SEAWALL_API Staples staples_of(SSL_CTX* ctx);

}  // namespace seawall
