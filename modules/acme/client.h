// Client: signed requests to one CA for one account (RFC 8555). For a thread that may wait; one thread. Errors: AcmeError,
// Stopped.
#pragma once
#include <optional>
#include <string>

#include "http.h"
#include "issuer.h"
#include "json.h"
#include "keys.h"

namespace seawall::acme {

class Client {
 public:
  Client(const Issuer& issuer, Stop& stop) : issuer_(issuer), http_(issuer.http, stop) {}

  class Answer {
   public:
    HttpAnswer http;
    Json json;                                // null where the answer is no JSON
    std::optional<std::int64_t> retry_after;  // seconds
  };
  // Registers where no account is known, with a key that is on the disk before the CA hears of it.
  void use_account();
  // ... but never registers, and asks nobody: for commands. False: there is none yet.
  bool use_known_account();
  const std::string& account() const { return account_; }

  Answer post(const std::string& url, const Json& payload) { return post_text(url, payload.dump(), {}); }
  Answer fetch(const std::string& url, const std::string& accept = {}) { return post_text(url, {}, accept); }  // POST-as-GET
  // A request signed by a certificate's own key instead of the account's.
  Answer post_with(EVP_PKEY* key, const std::string& url, const Json& payload);
  // One that needs no signature.
  Answer get(const std::string& url);

  // Of the directory: "newOrder" ...; empty where the CA has none.
  std::string resource(const char* name) { return text_in(directory(), name); }
  const Json& directory();
  std::string key_authorization(const std::string& token) const { return token + "." + thumbprint_of(key_.get()); }

 private:
  Answer post_text(const std::string& url, const std::string& payload, const std::string& accept);
  Answer send(EVP_PKEY* key, const std::string& url, const std::string& payload, const std::string& accept);
  Answer answer_of(HttpAnswer http);
  std::string body_for(EVP_PKEY* key, const std::string& url, const std::string& payload);
  std::string binding();
  std::string take_nonce();
  const std::string& checked(const std::string& url) const;
  bool load_key();
  void make_account_key();
  void register_account();
  bool has_known_account();

  const Issuer& issuer_;
  Http http_;
  Json directory_;
  std::string nonce_, account_;
  KeyPtr key_;
};

}  // namespace seawall::acme
