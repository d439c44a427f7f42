// The limit_except module: settings for all methods but some. Settings are read by every loop.
#include <algorithm>

#include "seawall/base/text.h"
#include "seawall/module/module.h"
#include "seawall/server/unnamed_location.h"

namespace seawall::limit_except {

// Never inherited, but a block without a Conf of its own shares its outer one's: `block` tells whose it is.
class Conf {
 public:
  const Settings* block = nullptr;
  const Location* others = nullptr;  // where all other methods go
  std::vector<Method> methods;
};

namespace {

constexpr Choice<Method> kMethods[] = {
    {"get", Method::get},           {"head", Method::head},         {"post", Method::post},   {"put", Method::put},
    {"delete", Method::delete_},    {"mkcol", Method::mkcol},       {"copy", Method::copy},   {"move", Method::move},
    {"options", Method::options},   {"propfind", Method::propfind}, {"lock", Method::lock},   {"unlock", Method::unlock},
    {"proppatch", Method::proppatch}, {"patch", Method::patch},
};

Method parse_method(const std::string& word) {
  const std::string name = lower(word);
  for (const auto& choice : kMethods)
    if (name == choice.word) return choice.value;
  throw ConfigError("invalid method \"" + word + "\"");
}

void open(Conf& conf, const Invocation& in) {
  if (conf.others) throw_duplicate("limit_except");
  for (const std::string& word : in.args()) conf.methods.push_back(parse_method(word));
  conf.block = &in.settings;
  conf.others = &open_unnamed(in, kLimitExcept);
}

bool names(const Conf& conf, Method method) {
  return std::find(conf.methods.begin(), conf.methods.end(), method) != conf.methods.end();
}
// Who may GET may ask for the head.
bool excepts(const Conf& conf, Method method) {
  return names(conf, method) || (method == Method::head && names(conf, Method::get));
}

bool is_there(const Conf& conf) { return conf.others != nullptr; }

Outcome divide(Exchange& x, const Conf& conf) {
  if (x.location->settings == conf.block && !excepts(conf, x.method)) x.enter(*conf.others);
  return Next{};
}

}  // namespace

class LimitExcept {
 public:
  using Conf = limit_except::Conf;
  static constexpr const char* name = "limit_except";
  static constexpr const char* summary = "settings for all methods but some";
  static inline const Directive directives[] = {
      block<Conf>("limit_except", kLocation, 1, kMany, open,
                  "What holds in this location for all methods but these; GET includes HEAD."),
  };
  // Before the instructions of the location, which are not for the methods that are limited.
  static constexpr Step steps[] = {step<Conf, is_there, divide>(Phase::rewrite)};
};

}  // namespace seawall::limit_except

using seawall::limit_except::LimitExcept;
SEAWALL_MODULE(LimitExcept)
