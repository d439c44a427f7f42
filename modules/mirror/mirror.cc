// The mirror module: copies of a request go to other locations, whose responses nobody reads. Settings are read by every loop.
#include "seawall/module/module.h"
#include "seawall/server/error_pages.h"
#include "seawall/server/subrequest.h"

namespace seawall::mirror {

class Conf {
 public:
  Setting<std::vector<std::string>> uris;  // set and empty: off
  Setting<bool> body{true};
};

namespace {

void append(Conf& conf, const Invocation& in) {
  const bool off = in.arg(0) == "off";
  if (conf.uris.is_set() && (off || conf.uris->empty())) throw_duplicate("mirror");
  if (!off) conf.uris.edit().push_back(in.arg(0));
  conf.uris.mark_set(in.node.place);
}

void inherit(Conf& conf, const Conf& outer) { conf.uris.inherit(outer.uris); }

bool is_on(const Conf& conf) { return !conf.uris->empty(); }

// In the request's background: its own response does not wait.
Task<void> send_copy(Exchange& x, const std::string& uri, std::string args, bool with_body) {
  Subrequest copy(x, uri, std::move(args), Subrequest::Life::background);
  copy.take_method();
  if (with_body) copy.give_body(x.body);
  std::optional<Response> response = co_await copy.run();
  response.reset();
  co_await copy.end();
}

Task<Outcome> send_copies(Exchange& x, const Conf& conf) {
  if (x.parent || x.connection.probe) co_return Next{};  // the server asking itself is nobody's traffic
  const bool with_body = *conf.body && x.body.present();
  if (with_body) {
    const Result<void> stored = co_await x.body.store(x);
    if (!stored) {
      const std::error_code error = stored.error();
      const int status = error.category() == seawall_category() ? status_of(error) : 500;
      if (status == 0) co_return Abort{};
      co_return Response(status);
    }
  }
  for (const std::string& uri : *conf.uris) x.background.spawn(send_copy(x, uri, x.args, with_body));
  co_return Next{};
}

}  // namespace

class Mirror {
 public:
  using Conf = mirror::Conf;
  static constexpr const char* name = "mirror";
  static constexpr const char* summary = "copies of requests to other locations";
  static inline const Directive directives[] = {
      custom<Conf>("mirror", kAllHttp, 1, 1, "uri | off", append, "A location that gets a copy of each request.", inherit, "off"),
      flag<Conf>("mirror_request_body", kAllHttp, &Conf::body, "Copies have the body, too, which is read first."),
  };
  static constexpr Step steps[] = {step<Conf, is_on, send_copies>(Phase::precontent)};
};

}  // namespace seawall::mirror

using seawall::mirror::Mirror;
SEAWALL_MODULE(Mirror)
