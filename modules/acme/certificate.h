// Certificate: one that the configuration asks for, and how far it is. Made at start-up and then immutable but for what TLS has been
// given: the status is in the store, where whoever asks the CA writes it. Any thread.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "certificates.h"
#include "issuer.h"

namespace seawall::acme {

// What is kept beside a certificate in the store, as JSON.
class Status {
 public:
  static Status parse(const std::string& text);  // what is missing or makes no sense is as if nothing had happened
  std::string text() const;
  int failures = 0;           // in a row
  std::int64_t next_try = 0;  // seconds since 1970; 0: whenever it is due
  std::int64_t last_try = 0;
  std::string error;           // the last one's; empty after a success
  std::string error_type;      // as the CA calls it; empty: it is not the CA's word
  std::string order;           // the URL of one that is under way
  std::string order_issuer;    // whose that is
  std::string issued_by;       // whose certificate is there; empty: it was imported, or there is none
  std::string issued_to;       // the account that asked for it
  std::int64_t renew_at = 0;   // as decided when the certificate came, or by the CA
  std::int64_t ask_again = 0;  // renewalInfo
  std::map<std::string, std::int64_t> rests;  // of issuers that want to be left alone: until when
};

class Certificate {
 public:
  std::string id;                  // what its files are called
  std::vector<std::string> names;  // sorted
  KeyType key_type;
  const Issuer* issuer = nullptr;
  const Issuer* fallback = nullptr;
  std::shared_ptr<GivenCertificate> given = std::make_shared<GivenCertificate>();

  std::string pair_file() const { return id + ".pem"; }  // the key, then the chain: one file, so that they change together
  std::string status_file() const { return id + ".json"; }
  std::string key_file() const { return id + ".key"; }     // of an order that is under way
  std::string wish_file() const { return id + ".renew"; }  // somebody wants it renewed now
  Store& store() const { return *issuer->store; }
  // Whose business is the certificate that is there: of the two, who has issued it.
  const Issuer& issuer_of(const Status& status) const {
    return fallback && status.issued_by == fallback->name ? *fallback : *issuer;
  }
  std::string title() const;  // its names
  // In [0, 1), the same for each certificate without a decision of its own, so that a restart decides nothing anew.
  double chance() const { return static_cast<double>(std::hash<std::string>{}(id) % 1000) / 1000; }
};

std::string id_of(const std::vector<std::string>& names, KeyType type);

// A pair as one text, and the way back; nothing where the text is no such thing.
std::string joined(const Pair& pair);
std::optional<Pair> parted(const std::string& text);
std::optional<Pair> stored_pair(const Certificate& certificate);
std::optional<CertificateFacts> stored_facts(const Certificate& certificate);

}  // namespace seawall::acme
