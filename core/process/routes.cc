#include "seawall/process/routes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iostream>

#include "seawall/process/configuration.h"
#include "seawall/route/choice.h"
#include "seawall/server/core_module.h"

namespace seawall {
namespace {

using std::chrono::milliseconds;

// Those with a step there, in the order in which they act.
std::string modules_of(const Plan& plan) {
  std::vector<std::string_view> names;
  for (const Plan::BoundStep& step : plan.steps)
    if (std::find(names.begin(), names.end(), step.module) == names.end()) names.push_back(step.module);
  return fmt::format("{}", fmt::join(names, " "));
}

std::string time_of(milliseconds time) {
  const auto ms = time.count();
  if (ms == 0) return "0";
  if (ms % 3'600'000 == 0) return fmt::format("{}h", ms / 3'600'000);
  if (ms % 60'000 == 0) return fmt::format("{}m", ms / 60'000);
  return ms % 1000 == 0 ? fmt::format("{}s", ms / 1000) : fmt::format("{}ms", ms);
}

// Zero takes the bound away.
std::string shown(const Setting<milliseconds>& setting) {
  return (setting->count() == 0 ? "off" : time_of(*setting)) + (setting.is_default() ? "" : "*");
}
// Zero means at once.
std::string shown_from_zero(const Setting<milliseconds>& setting) { return time_of(*setting) + (setting.is_default() ? "" : "*"); }
std::string shown(const Setting<KeepaliveTimeout>& setting) {
  return time_of(setting->timeout) + (setting.is_default() ? "" : "*");
}
std::string shown(const Setting<std::int64_t>& rate) {
  return (*rate == 0 ? "off" : fmt::format("{} B/s", *rate)) + (rate.is_default() ? "" : "*");
}

// ... and what plain_patience makes of it.
std::string shown(const Setting<milliseconds>& setting, const CoreConf& core) {
  const bool less = core.plain_patience && setting.is_default() && *core.plain_patience < *setting;
  return shown(setting) + (less ? " (" + time_of(*core.plain_patience) + " without TLS)" : "");
}

// A phase's bound and the directives it comes from.
class Bound {
 public:
  const char* phase;
  const char* directives;
  std::string value;
};

std::vector<Bound> bounds_of(const CoreConf& core, const TlsConf& tls, const MainConf& main) {
  return {{"handshake", "ssl_handshake_timeout", shown(tls.handshake_timeout)},
          {"header", "client_header_timeout", shown(core.client_header_timeout, core)},
          {"body", "client_body_timeout, client_body_min_rate, client_body_total_timeout",
           shown(core.client_body_timeout) + ", " + shown(core.client_body_min_rate) + ", " + shown(core.client_body_total_timeout)},
          {"handler", "handler_timeout", shown(core.handler_timeout)},
          {"send", "send_timeout, send_min_rate", shown(core.send_timeout, core) + ", " + shown(core.send_min_rate)},
          {"idle", "keepalive_timeout, keepalive_time", shown(core.keepalive_timeout) + ", " + shown(core.keepalive_time)},
          {"linger", "lingering_timeout, lingering_time", shown_from_zero(core.lingering_timeout) + ", " + shown_from_zero(core.lingering_time)},
          {"request", "request_max_time", shown(core.request_max_time)},
          {"drain", "worker_shutdown_timeout", shown(main.worker_shutdown_timeout)}};
}

class Printer {
 public:
  Printer(const Configuration& conf, bool timeouts) : conf_(conf), timeouts_(timeouts) {}

  void print(const Vhost& vhost) const {
    std::cout << "server " << names_of(vhost) << " in " << vhost.place.text() << "\n";
    for (const Endpoint& endpoint : conf_.http().endpoints.all())
      if (std::find(endpoint.servers.begin(), endpoint.servers.end(), &vhost) != endpoint.servers.end())
        std::cout << "  listen " << endpoint.address.text_with_port() << (endpoint.options.ssl ? " ssl" : "")
                  << (endpoint.default_server == &vhost ? " default" : "") << "\n";
    print(vhost, vhost.locations.root(), 1);
  }

 private:
  static std::string names_of(const Vhost& vhost) {
    std::string text;
    for (const ServerName& name : vhost.names) text += (text.empty() ? "\"" : " \"") + name.text + "\"";
    return text;
  }

  void print(const Vhost& vhost, const Location& location, std::size_t depth) const {
    const std::string indent(2 * depth, ' ');
    std::cout << indent << title_and_place_of(location);
    if (const std::string modules = modules_of(*location.plan); !modules.empty()) std::cout << ": " << modules;
    std::cout << "\n";
    if (timeouts_)
      for (const Bound& bound : bounds_of(*location.core, *vhost.tls_conf, conf_.main()))
        std::cout << indent << fmt::format("    {:<10} {:<24} {}\n", bound.phase, bound.value, bound.directives);
    for (const auto& nested : location.nested) print(vhost, *nested, depth + 1);
  }

  const Configuration& conf_;
  const bool timeouts_;
};

}  // namespace

bool print_routes(const Options& options, bool timeouts) {
  try {
    const auto warn = [](const std::string& text) { std::cerr << "nginx: [warn] " << text << "\n"; };
    const auto conf = Configuration::load(options, warn);
    const Printer printer(*conf, timeouts);
    for (const Vhost& vhost : conf->http().vhosts) printer.print(vhost);
    return true;
  } catch (const std::exception& error) {
    std::cerr << "nginx: [emerg] " << error.what() << "\n";
    return false;
  }
}

}  // namespace seawall
