// Order: from names to a certificate (RFC 8555 7.4). Goes on with an order that another process has begun. A thread that may
// wait.
#pragma once
#include <chrono>
#include <string>

#include "certificate.h"
#include "challenges.h"
#include "client.h"

namespace seawall::acme {

class Order {
 public:
  Order(const Certificate& certificate, const Issuer& issuer, Tokens& tokens, Status& status, Stop& stop);

  // A pair that has been checked; its key and the order's URL are in the store until then. AcmeError, Stopped.
  Pair obtain();
  const std::string& account() const { return client_.account(); }

 private:
  // For the CA to look at our names, or to issue: longer than any takes, short enough that nobody waits for ever.
  static constexpr std::chrono::minutes kPatience{10};

  void begin();
  std::string replaced();
  Client::Answer ask(Json wanted);
  bool resume();
  void make_key();
  Json await_order(const char* wanted);
  std::string download(const Json& order);
  void keep(const Json& order, const std::string& url);
  void save_status();
  void pause(const Client::Answer& answer, int turn);
  // order_proofs.cc
  void prove();
  void prove_one(const std::string& url);
  std::string name_in(const Json& authorization) const;
  void await_proof(const std::string& url, const std::string& name);

  const Certificate& certificate_;
  const Issuer& issuer_;
  Tokens& tokens_;
  Status& status_;
  Stop& stop_;
  const std::chrono::steady_clock::time_point until_;  // for all of it: names one after another, each with its waits
  Client client_;
  Json order_;
  KeyPtr key_;
};

}  // namespace seawall::acme
