// The access module: allow and deny by the client's address. Settings are read by every loop.
#include "seawall/module/module.h"
#include "seawall/net/cidr.h"
#include "seawall/server/core_conf.h"

namespace seawall::access {

class Rule {
 public:
  bool allows;
  std::optional<Cidr> range;  // none: all
  bool concerns(const Address& client) const { return !range || range->contains(client); }
};

class Conf {
 public:
  Setting<std::vector<Rule>> rules;
};

namespace {

template <bool Allows>
void append(Conf& conf, const Invocation& in) {
  Rule rule{Allows, std::nullopt};
  if (in.arg(0) != "all") {
    rule.range = Cidr::parse(in.arg(0));
    if (!rule.range) throw ConfigError("invalid parameter \"" + in.arg(0) + "\"");
    if (rule.range->had_low_bits()) in.warn("low address bits of " + in.arg(0) + " are meaningless");
  }
  conf.rules.edit().push_back(std::move(rule));
  conf.rules.mark_set(in.node.place);
}

void inherit(Conf& conf, const Conf& outer) { conf.rules.inherit(outer.rules); }

bool has_rules(const Conf& conf) { return !conf.rules->empty(); }

Outcome check(Exchange& x, const Conf& conf) {
  for (const Rule& rule : *conf.rules) {
    if (!rule.concerns(x.connection.remote)) continue;
    if (rule.allows) return Granted{};
    // With `satisfy any` another may still grant: the access phase says it when nobody did.
    if (*x.core().satisfy == Satisfy::all) x.log(Level::error, "access forbidden by rule");
    return Response(403);
  }
  return Next{};
}

constexpr unsigned kPlaces = kAllHttp | kLimitExcept;

}  // namespace

class Access {
 public:
  using Conf = access::Conf;
  static constexpr const char* name = "access";
  static constexpr const char* summary = "who may ask, by address";
  // Both write one list, which inherits once.
  static inline const Directive directives[] = {
      custom<Conf>("allow", kPlaces, 1, 1, "address | CIDR | unix: | all", append<true>,
                   "Lets these clients in; the first rule that concerns a client decides.", inherit),
      custom<Conf>("deny", kPlaces, 1, 1, "address | CIDR | unix: | all", append<false>, "Refuses these clients with 403."),
  };
  static constexpr Step steps[] = {step<Conf, has_rules, check>(Phase::access)};
};

}  // namespace seawall::access

using seawall::access::Access;
SEAWALL_MODULE(Access)
