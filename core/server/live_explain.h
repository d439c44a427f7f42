// explain_token: a client that knows the token is told, in place of the response, what `seawall explain` would say about its
// request. One loop; the directive: start-up.
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "seawall/config/directive.h"
#include "seawall/http/message.h"
#include "seawall/route/step.h"
#include "seawall/server/exchange.h"

namespace seawall {

class Endpoint;

class ExplainConf {
 public:
  Setting<std::string> token{std::string()};  // empty: nobody is told anything
};

class LiveExplanation;

struct ExplainModule {
  using Conf = ExplainConf;
  struct State {
    std::unique_ptr<LiveExplanation> live;
  };
  static constexpr const char* name = "explain";
  static constexpr const char* summary = "why a request is answered as it is, for who knows a secret";
  static const std::span<const Directive> directives;
};

// Does this request to that server bring the token?
bool asks_why(const RequestHead& head, const Vhost& vhost);
// The exchange of one that does, with a ConnectionInfo of its own.
std::unique_ptr<Exchange> make_explained(const ConnectionInfo& connection, const Endpoint& endpoint, RequestHead&& head, const Vhost& vhost,
                                         Scope* scope);
// Puts the explanation in the place of what was answered, where the exchange is one of those.
void put_explanation(Exchange& x, Outcome& outcome);

}  // namespace seawall
