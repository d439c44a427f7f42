// The auth_request module: a subrequest decides whether a request is let in. Settings are read by every loop.
#include <utility>

#include "assignment.h"
#include "seawall/module/module.h"
#include "seawall/server/probe.h"
#include "seawall/server/subrequest.h"

namespace seawall::auth_request {

class Conf {
 public:
  Setting<std::string> uri;  // empty: off
  Setting<std::vector<Assignment>> assignments;
};

namespace {

std::string parse_uri(const Invocation& in) { return in.arg(0) == "off" ? std::string() : in.arg(0); }

bool is_on(const Conf& conf) { return !conf.uri->empty(); }

// How to come in, as the one who was asked says it.
Response unauthorized(const Response& answer) {
  Response response(401);
  for (const Field& field : answer.headers.all())
    if (field.id == FieldId::www_authenticate) response.headers.add(field.name, field.value);
  return response;
}

Outcome judge(Exchange& x, const Response& answer) {
  if (answer.status >= 200 && answer.status < 300) return Granted{};
  if (answer.status == 401) return unauthorized(answer);
  if (answer.status == 403) return Response(403);
  x.log(Level::error, "auth request unexpected status: " + std::to_string(answer.status));
  return Response(500);
}

// For who only wants to know: an upstream that was not asked is taken to have said yes.
bool is_taken_for_granted(const Exchange& x) {
  Trace* const trace = x.connection.probe ? x.connection.probe->trace : nullptr;
  if (!trace || !std::exchange(trace->is_unasked, false)) return false;
  tell(x, [] { return std::string("access: auth_request is taken to let the request in"); });
  return true;
}

Task<Outcome> ask(Exchange& x, const Conf& conf) {
  Subrequest sub(x, *conf.uri);
  std::optional<Response> answer = co_await sub.run();
  Outcome outcome = Abort{};
  if (answer) {
    Exchange& asked = sub.exchange();
    asked.response = &*answer;  // for $sent_http_*
    for (const Assignment& assignment : *conf.assignments) assignment.run(x, asked);
    asked.response = nullptr;
    outcome = judge(x, *answer);
  } else if (is_taken_for_granted(x)) {
    outcome = Granted{};
  }
  answer.reset();
  co_await sub.end();
  co_return outcome;
}

}  // namespace

class AuthRequest {
 public:
  using Conf = auth_request::Conf;
  static constexpr const char* name = "auth_request";
  static constexpr const char* summary = "who may ask, by the answer of a subrequest";
  static inline const Directive directives[] = {
      directive<Conf, std::string>("auth_request", kAllHttp, 1, 1, "uri | off", &Conf::uri, parse_uri,
                                   "Lets in what this location answers with 2xx; its 401 and 403 refuse.", "off"),
      list<Conf, Assignment>("auth_request_set", kAllHttp, 2, 2, "$variable value", &Conf::assignments,
                             [](std::vector<Assignment>& all, const Invocation& in) { all.emplace_back(in); },
                             "Gives a variable a value out of the subrequest, $upstream_http_* say."),
  };
  static constexpr Step steps[] = {step<Conf, is_on, ask>(Phase::access)};
};

}  // namespace seawall::auth_request

using seawall::auth_request::AuthRequest;
SEAWALL_MODULE(AuthRequest)
