// The referer module: whether a request comes from a page that may refer to us. Settings are read by every loop.
#include "referers.h"
#include "seawall/module/module.h"

namespace seawall::referer {

class Conf {
 public:
  Setting<Referers> valid;
};

namespace {

void add(Conf& conf, const Invocation& in) {
  for (const std::string& word : in.args()) conf.valid.edit().add(word);
  conf.valid.mark_set(in.node.place);
}

void inherit(Conf& conf, const Conf& outer) { conf.valid.inherit(outer.valid); }

}  // namespace

class Referer {
 public:
  using Conf = referer::Conf;
  static constexpr const char* name = "referer";
  static constexpr const char* summary = "whether a page that may refers to us";
  static inline const Directive directives[] = {
      custom<Conf>("valid_referers", kAllHttp, 1, kMany, "none | blocked | server_names | host[/uri] | ~regex ...", add,
                   "Which pages may refer to us: $invalid_referer is 1 for all others.", inherit),
  };
  static const std::span<const VariableRow> variables;
  static void check(Conf& conf, Settings&, Binder&) { conf.valid->check(); }
};

namespace {

bool invalid_referer(Exchange& x, std::string_view, const void*, std::string& out) {
  const Referers& valid = *x.conf<Referer>().valid;
  if (!valid.empty() && !valid.takes(x)) out.push_back('1');
  return true;
}

constexpr VariableRow rows[] = {{"invalid_referer", invalid_referer}};

}  // namespace

const std::span<const VariableRow> Referer::variables = rows;

}  // namespace seawall::referer

using seawall::referer::Referer;
SEAWALL_MODULE(Referer)
