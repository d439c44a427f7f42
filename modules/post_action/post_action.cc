// The post_action module: when a request is over, a location is told of it. Settings are read by every loop.
#include "seawall/module/module.h"
#include "seawall/server/subrequest.h"

namespace seawall::post_action {

class Conf {
 public:
  Setting<std::string> uri{std::string()};
};

namespace {

// Variables say how the request went.
void take_outcome(Exchange& x, const Exchange& of) {
  x.status = of.status;
  x.bytes_sent = of.bytes_sent;
  x.body_bytes_sent = of.body_bytes_sent;
  x.completed = of.completed;
  x.started = of.started;
}

Task<void> tell_location(Exchange& x, const std::string& uri) {
  Subrequest action(x, uri, {}, Subrequest::Life::background);
  take_outcome(action.exchange(), x);
  if (!x.request.method_name.empty()) action.take_method();  // a head that could not be read has none
  if (x.body.kept() || x.body.file()) action.give_body(x.body);
  std::optional<Response> response = co_await action.run();
  response.reset();
  co_await action.end();
}

}  // namespace

class PostAction {
 public:
  using Conf = post_action::Conf;
  static constexpr const char* name = "post_action";
  static constexpr const char* summary = "a location that is told of each request when it is over";
  static inline const Directive directives[] = {
      text<Conf>("post_action", kAllHttp | kLocationIf, &Conf::uri, "Which location is told: a URI or @name."),
  };
  static void log(Exchange& x, const Conf& conf) {
    if (!conf.uri->empty() && !x.parent) x.background.spawn(tell_location(x, *conf.uri));
  }
};

}  // namespace seawall::post_action

using seawall::post_action::PostAction;
SEAWALL_MODULE(PostAction)
