// The rewrite module: return, set, rewrite, break and if, executed in the order written, in the rewrite phases of server and location.
#include "rewrite.h"

#include "seawall/server/probe.h"

namespace seawall::rewrite {
namespace {

bool of_server(const Conf& conf) { return conf.where == kServer && !conf.instructions.empty(); }
// Those of an `if` run where it stands, but their step holds its place in the phase.
bool of_location(const Conf& conf) { return (conf.where & (kLocation | kLocationIf)) && !conf.instructions.empty(); }

Outcome run(Exchange& x, const Conf& conf) {
  if (x.location->settings != conf.block) return Next{};
  Progress progress;
  progress.logs = *conf.log;
  Outcome outcome = run_all(x, conf.instructions, progress);
  if (!std::holds_alternative<Next>(outcome) || !progress.changed) return outcome;
  return Relocate(x.uri);
}

template <class T>
void append(Conf& conf, const Invocation& in) {
  conf.instructions.emplace_back(std::in_place_type<T>, in);
  conf.block = &in.settings;
  conf.where = in.where;
}

constexpr unsigned kEverywhere = kServer | kServerIf | kLocation | kLocationIf;

const Directive rows[] = {
    custom<Conf>("return", kEverywhere, 1, 2, "code [text | URL] | URL", append<Return>,
                 "Answers at once; 444 closes the connection without a response."),
    custom<Conf>("set", kEverywhere, 2, 2, "$variable value", append<Set>, "Gives a variable a value; $args are the request's arguments."),
    custom<Conf>("rewrite", kEverywhere, 2, 3, "regex replacement [last | break | redirect | permanent]", append<Replace>,
                 "Another URI for one that matches, or a redirect. A URI that would leave the root is a 500 (nginx: not looked at)."),
    block<Conf>("if", kEverywhere, 1, kMany, append<If>,
                "Instructions and settings for requests of which the condition holds: (value), (value = text), !=, ~, ~*, !~, !~*, (-f path), -d, -e, -x, and with ! before them."),
    custom<Conf>("break", kEverywhere, 0, 0, "", append<Break>, "Ends the instructions of this block."),
    flag<Conf>("rewrite_log", kAllHttp | kServerIf | kLocationIf, &Conf::log, "Says what rewrite does, at notice."),
    flag<Conf>("uninitialized_variable_warn", kAllHttp | kServerIf | kLocationIf, &Conf::warn,
               "Warns of a variable that no set has reached."),
};
constexpr Step step_rows[] = {
    step<Conf, of_server, run>(Phase::server_rewrite),
    step<Conf, of_location, run>(Phase::rewrite),
};

}  // namespace

std::string as_written(const Invocation& in) {
  std::string text = in.node.name;
  for (const std::string& word : in.args()) text += " " + word;
  return text + " in " + in.node.place.text();
}

Outcome run_all(Exchange& x, const std::vector<Instruction>& instructions, Progress& progress) {
  for (const Instruction& instruction : instructions) {
    Outcome outcome = std::visit([&](const auto& one) { return one.run(x, progress); }, instruction.what);
    if (!std::holds_alternative<If>(instruction.what))
      tell(x, [&] { return instruction.written + ": the path is " + x.uri + (x.args.empty() ? "" : "?" + x.args); });
    if (!std::holds_alternative<Next>(outcome) || progress.stopped) return outcome;
  }
  return Next{};
}

const std::span<const Directive> Rewrite::directives = rows;
const std::span<const Step> Rewrite::steps = step_rows;

}  // namespace seawall::rewrite

using seawall::rewrite::Rewrite;
SEAWALL_MODULE(Rewrite)
