// Challenges: what CAs look for at our names. Tokens of http-01 are answered by every loop, proofs of tls-alpn-01 by the TLS
// layer, and records of dns-01 are the hook program's. Any thread.
#pragma once
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "issuer.h"
#include "stop.h"

namespace seawall::acme {

class Tokens {
 public:
  void add(const std::string& token, const std::string& answer);
  void remove(const std::string& token);
  std::optional<std::string> find(std::string_view token) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string, std::less<>> answers_;
};

// One challenge that is ready to be looked at, until this goes.
class Prepared {
 public:
  // AcmeError: the hook, or the store, has failed. Other processes find the answer in the store (answers.h).
  Prepared(const Issuer& issuer, Store& store, Tokens& tokens, std::string name, std::string token, const std::string& key_authorization,
           Stop& stop);
  ~Prepared();
  Prepared(const Prepared&) = delete;

 private:
  void show(const std::string& key_authorization);
  void hide();
  void show_token(const std::string& key_authorization);
  void show_certificate(const std::string& key_authorization);
  void add_record(const std::string& key_authorization);
  template <class Act>
  void take_back(const char* what, const char* where, const Act& act);

  const Issuer& issuer_;
  Store& store_;
  Tokens& tokens_;
  Stop& stop_;
  const std::string name_, token_;
  std::string record_;  // the value of dns-01
};

}  // namespace seawall::acme
