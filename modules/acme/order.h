// Order: from names to a certificate (RFC 8555 7.4). Goes on with an order that another process has begun. A thread that may
// wait.
#pragma once
#include <string>

#include "certificate.h"
#include "challenges.h"
#include "client.h"

namespace seawall::acme {

class Order {
 public:
  Order(const Certificate& certificate, const Issuer& issuer, Tokens& tokens, Status& status, Stop& stop)
      : certificate_(certificate), issuer_(issuer), tokens_(tokens), status_(status), stop_(stop), client_(issuer, stop) {}

  // A pair that has been checked; its key and the order's URL are in the store until then. AcmeError, Stopped. `replaces`: the
  // renewal id of the certificate before; empty: none.
  Pair obtain(const std::string& replaces);

 private:
  void begin(const std::string& replaces);
  bool resume();
  void make_key();
  void prove();
  void prove_one(const std::string& url);
  void await_proof(const std::string& url, const std::string& name);
  Json await_order(const char* wanted);
  std::string download(const Json& order);
  void keep(const Json& order, const std::string& url);
  void save_status();
  void pause(const Client::Answer& answer, int turn);

  const Certificate& certificate_;
  const Issuer& issuer_;
  Tokens& tokens_;
  Status& status_;
  Stop& stop_;
  Client client_;
  Json order_;
  KeyPtr key_;
};

}  // namespace seawall::acme
