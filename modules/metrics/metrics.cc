// The metrics module: what the server counts, for Prometheus. Where its directive (or that of the status page) occurs, each request
// is counted by server and location.
#include "exposition.h"
#include "recording.h"
#include "seawall/observe/sources.h"
#include "seawall/server/own_page.h"
#include "server_timing.h"

namespace seawall::metrics {

class Conf {
 public:
  OwnPage page;
  Setting<bool> server_timing{false};
};

class Metrics {
 public:
  using Conf = metrics::Conf;
  static constexpr const char* name = "metrics";
  static constexpr const char* summary = "counts for Prometheus and OpenMetrics, and the Server-Timing header";
  static constexpr const char* loaded_by[] = {"status"};
  static const Directive directives[2];
  static const Step steps[1];
  static const Filter filters[1];

  class LoopState {
   public:
    LoopState(Loop& loop, const Conf&) : recorder(loop.number()) {}
    Recorder recorder;
  };

  static void check(Conf&, Settings&, Binder&) { prepare_recording(); }
  static void log(Exchange& x, const Conf&) {
    if (!x.parent) loop_state<Metrics>(x.loop).recorder.record(x);
  }
  static void collect(Gathering& out, const Conf&) { collect_requests(out); }
};

namespace {

// A scraper that takes both is given what it names first: Prometheus names OpenMetrics.
Format format_for(const Exchange& x) {
  return x.request.headers.get(FieldId::accept).find("application/openmetrics-text") != std::string_view::npos ? Format::openmetrics
                                                                                                                : Format::prometheus;
}

Outcome show(Exchange& x, const Conf& conf) {
  if (!conf.page.is_here(x)) return Next{};
  if (!reads(x)) return Response(405);
  const Format format = format_for(x);
  Response response(200, Slice::copy(exposition(gather(), format)));
  response.headers.add("Content-Type", content_type_of(format));
  response.headers.add("Cache-Control", "no-store");
  return response;
}

bool times(const Conf& conf) { return *conf.server_timing; }

Result<void> add_timing(Exchange& x, Response& response, const Conf&) {
  if (!x.parent) add_server_timing(x, response);
  return {};
}

}  // namespace

const Directive Metrics::directives[] = {
    own_page<Conf>("metrics", "Answers with all counts in Prometheus' text format, or as OpenMetrics where the scraper asks for that."),
    flag("server_timing", kAllHttp, &Conf::server_timing,
         "Adds a Server-Timing header: how long the head, the body and the handler took. It tells clients about the inside of the server."),
};

const Step Metrics::steps[] = {step<Conf, has_own_page<Conf>, show>(Phase::content)};
const Filter Metrics::filters[] = {filter<Conf, times, add_timing>(FilterStage::headers)};

}  // namespace seawall::metrics

using seawall::metrics::Metrics;
SEAWALL_MODULE(Metrics)
