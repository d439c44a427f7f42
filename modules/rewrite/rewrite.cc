// The rewrite module: return, executed in the order written, in the rewrite phases of server and location.
#include "rewrite.h"

namespace seawall::rewrite {
namespace {

bool of_server(const Conf& conf) { return conf.where == kServer && !conf.instructions.empty(); }
bool of_location(const Conf& conf) { return conf.where == kLocation && !conf.instructions.empty(); }

Outcome run(Exchange& x, const Conf& conf) {
  if (x.location->settings != conf.block) return Next{};
  for (const Instruction& instruction : conf.instructions) {
    Outcome outcome = std::visit([&x](const auto& one) { return one.run(x); }, instruction);
    if (!std::holds_alternative<Next>(outcome)) return outcome;
  }
  return Next{};
}

template <class T>
void append(Conf& conf, const Invocation& in) {
  conf.instructions.emplace_back(std::in_place_type<T>, in);
  conf.block = &in.settings;
  conf.where = in.where;
}

}  // namespace

class Rewrite {
 public:
  using Conf = rewrite::Conf;
  static constexpr const char* name = "rewrite";
  static constexpr const char* summary = "answers at once";
  static inline const Directive directives[] = {
      custom<Conf>("return", kServer | kServerIf | kLocation | kLocationIf, 1, 2, "code [text | URL] | URL", append<Return>,
                   "Answers at once; 444 closes the connection without a response."),
  };
  static constexpr Step steps[] = {
      step<Conf, of_server, run>(Phase::server_rewrite),
      step<Conf, of_location, run>(Phase::rewrite),
  };
};

}  // namespace seawall::rewrite

using seawall::rewrite::Rewrite;
SEAWALL_MODULE(Rewrite)
