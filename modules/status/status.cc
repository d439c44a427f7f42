// The status module: the state of the server as JSON, and as one live page for a browser.
#include "assets.h"
#include "feed.h"
#include "report.h"
#include "seawall/log/recent_lines.h"
#include "seawall/server/own_page.h"
#include "talkers.h"

namespace seawall::status {

class Conf {
 public:
  OwnPage page;
};

class Status {
 public:
  using Conf = status::Conf;
  static constexpr const char* name = "status";
  static constexpr const char* summary = "the state of the server, as JSON and as a live page";
  static const Directive directives[1];
  static const Step steps[1];

  class LoopState {
   public:
    LoopState(Loop&, const Conf&) {}
    Talkers talkers;
  };

  static void check(Conf&, Settings&, Binder&) { keep_recent_lines(); }
  static void log(Exchange& x, const Conf&) {
    if (!x.parent) loop_state<Status>(x.loop).talkers.count(x.connection.remote, x.bytes_sent);
  }
};

namespace {

Response answer(Body body, const char* type) {
  Response response(200, std::move(body));
  response.headers.add("Content-Type", type);
  response.headers.add("Cache-Control", "no-store");
  response.headers.add("X-Content-Type-Options", "nosniff");
  return response;
}

Response page() {
  Response response = answer(Slice::copy(kPageHtml), "text/html; charset=utf-8");
  response.headers.add("Content-Security-Policy",
                       "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
                       "form-action 'none'; frame-ancestors 'none'");
  response.headers.add("Referrer-Policy", "no-referrer");
  return response;
}

// The page's parts are asked for by its own address with a query, so that it may stand anywhere.
Outcome show(Exchange& x, const Conf& conf) {
  if (!conf.page.is_here(x)) return Next{};
  if (!reads(x)) return Response(405);
  if (x.args == "page.css") return answer(Slice::copy(kPageCss), "text/css; charset=utf-8");
  if (x.args == "page.js") return answer(Slice::copy(kPageJs), "text/javascript; charset=utf-8");
  if (x.args == "events") return answer(std::make_unique<Feed>(x), "text/event-stream");
  const bool browser = x.request.headers.get(FieldId::accept).find("text/html") != std::string_view::npos;
  if (browser && x.args != "json") return page();
  return answer(Slice::copy(report()), "application/json");
}

}  // namespace

const Directive Status::directives[] = {
    own_page<Conf>("status", "Answers with the state of the server: JSON, or to a browser a live page (?json: JSON to it, too)."),
};

const Step Status::steps[] = {step<Conf, has_own_page<Conf>, show>(Phase::content)};

}  // namespace seawall::status

using seawall::status::Status;
SEAWALL_MODULE(Status)
