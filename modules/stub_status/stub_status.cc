// The stub_status module: how many connections there are and have been, as a page and as variables.
#include <string>

#include "seawall/module/module.h"
#include "seawall/server/loop_counts.h"
#include "seawall/server/own_page.h"

namespace seawall::stub_status {

class Conf {
 public:
  OwnPage page;
};

class StubStatus {
 public:
  using Conf = stub_status::Conf;
  static constexpr const char* name = "stub_status";
  static constexpr const char* summary = "counts connections and requests";
  static const Directive directives[1];
  static const Step steps[1];
  static const VariableRow variables[4];
};

namespace {

Outcome show(Exchange& x, const Conf& conf) {
  if (!conf.page.is_here(x)) return Next{};
  if (!reads(x)) return Response(405);
  const ServerCounts counts = count_all();
  const auto text = [](std::uint64_t n) { return std::to_string(n) + " "; };
  std::string page = "Active connections: " + text(counts.active) + "\nserver accepts handled requests\n " + text(counts.accepted) +
                     text(counts.handled) + text(counts.requests) + "\nReading: " + text(counts.reading) + "Writing: " + text(counts.writing) +
                     "Waiting: " + text(counts.waiting) + "\n";
  Response response(200, Slice::copy(page));
  response.headers.add("Content-Type", "text/plain");
  return response;
}

template <std::uint64_t ServerCounts::*Value>
bool variable(Exchange&, std::string_view, const void*, std::string& out) {
  out += std::to_string(count_all().*Value);
  return true;
}

}  // namespace

const Directive StubStatus::directives[] = {
    own_page<Conf>("stub_status", "Answers with the page of counts. An argument means nothing, as in nginx.", OwnPageOf::nginx),
};

const Step StubStatus::steps[] = {step<Conf, has_own_page<Conf>, show>(Phase::content)};

const VariableRow StubStatus::variables[] = {
    {"connections_active", variable<&ServerCounts::active>},
    {"connections_reading", variable<&ServerCounts::reading>},
    {"connections_waiting", variable<&ServerCounts::waiting>},
    {"connections_writing", variable<&ServerCounts::writing>},
};

}  // namespace seawall::stub_status

using seawall::stub_status::StubStatus;
SEAWALL_MODULE(StubStatus)
