// 1xx responses in front of the final one, as HTTP/1.1 and HTTP/2 say them; and who is to be told of 103 (early_hints). One loop;
// each lives in the frame of its request.
#pragma once
#include "seawall/server/exchange.h"

namespace seawall {

class Connection;
class H2Connection;
class H2Stream;

// A client that takes nothing hears nothing: a hint is not worth a wait between two that write.
class H1Informer final : public Informer {
 public:
  explicit H1Informer(Connection& connection) : c_(connection) {}
  Task<Result<void>> inform(Exchange& x, int status, const Headers& fields) override;

 private:
  Connection& c_;
};

class H2Informer final : public Informer {
 public:
  H2Informer(H2Connection& connection, H2Stream& stream) : h_(connection), s_(stream) {}
  Task<Result<void>> inform(Exchange& x, int status, const Headers& fields) override;

 private:
  H2Connection& h_;
  H2Stream& s_;
};

// Is a 103 to be passed on here, and can it be?
SEAWALL_API bool passes_early_hints(Exchange& x);

}  // namespace seawall
