// The redirect module: page loads over plain HTTP go on over HTTPS (B11 to B13 of what an exposed server owes). Settings are read
// by every loop.
#include <algorithm>

#include "seawall/base/text.h"
#include "seawall/module/module.h"
#include "seawall/server/https_redirect.h"
#include "seawall/server/server_blocks.h"

namespace seawall::redirect {

// Who is only sent away needs no more: a stuck connection may not hold a descriptor.
constexpr std::chrono::milliseconds kPatience{5'000};

class Target : public HttpsRedirect {
 public:
  bool on = false;
};

class Conf {
 public:
  Setting<Target> target;
};

class Redirect {
 public:
  using Conf = redirect::Conf;
  static constexpr const char* name = "redirect";
  static constexpr const char* summary = "redirects from HTTP to HTTPS";
  static const Directive directives[1];
  static const Step steps[1];
};

namespace {

// [code] [port=number], or on or off.
Target parse(const Invocation& in) {
  Target target;
  target.on = true;
  if (in.args().size() == 1 && (in.arg(0) == "on" || in.arg(0) == "off")) {
    target.on = in.arg(0) == "on";
    return target;
  }
  for (const std::string& word : in.args()) {
    const bool is_port = word.starts_with("port=");
    const auto number = parse_decimal(is_port ? std::string_view(word).substr(5) : word);
    const bool fits = number && (is_port ? *number > 0 && *number < 65536
                                         : *number == 301 || *number == 302 || *number == 307 || *number == 308);
    if (!fits) throw ConfigError("invalid parameter \"" + word + "\"");
    (is_port ? target.port : target.code) = static_cast<int>(*number);
  }
  return target;
}

bool is_on(const Settings& settings) { return static_cast<const Conf*>(settings.get(module_number<Redirect>))->target->on; }

bool is_on_throughout(const Settings& settings) {
  const auto inner = settings.inner();
  return is_on(settings) && std::all_of(inner.begin(), inner.end(), [](const Settings* one) { return is_on_throughout(*one); });
}

void bound_waits(Binder& binder, Settings& settings) {
  for (const ServerBlock& server : server_blocks(settings))
    if (is_on_throughout(server.settings)) bound_plain_clients(binder, server.settings, kPatience);
}

void apply(Conf& conf, const Invocation& in) {
  if (conf.target.is_set()) throw_duplicate("redirect_https");
  conf.target.set(parse(in), in.node.place);
  if (in.where != kLocation) in.binder.at_end([&binder = in.binder, &settings = in.settings] { bound_waits(binder, settings); });
}

void inherit(Conf& conf, const Conf& outer) { conf.target.inherit(outer.target); }

bool is_active(const Conf& conf) { return conf.target->on; }

Outcome run(Exchange& x, const Conf& conf) {
  if (!may_be_redirected(x)) return Next{};
  return redirect_to_https(x, *conf.target);
}

}  // namespace

const Directive Redirect::directives[] = {
    custom<Conf>("redirect_https", kAllHttp, 0, 2, "[code] [port=number] | on | off", apply,
                 "Requests over plain HTTP are sent to the same place over HTTPS: 301, and 308 where the method is to stay (ours).",
                 inherit, "off"),
};

// Before `return` and `rewrite` of a location, which are about what is served.
const Step Redirect::steps[] = {step<Conf, is_active, run>(Phase::rewrite)};

}  // namespace seawall::redirect

using seawall::redirect::Redirect;
SEAWALL_MODULE(Redirect)
