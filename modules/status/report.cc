#include "report.h"

#include <ctime>
#include <nlohmann/json.hpp>

#include "seawall/log/recent_lines.h"
#include "seawall/observe/sources.h"
#include "talkers.h"

namespace seawall::status {
namespace {

using nlohmann::json;

constexpr std::size_t kTalkers = 10;

double value_of(const Gathering& all, std::string_view name) {
  const Family* family = all.find(name);
  return family && !family->samples.empty() ? family->samples.front().value : 0;
}

// A whole number as one: 3 rather than 3.0.
json number(double value) {
  if (value == static_cast<double>(static_cast<std::int64_t>(value))) return static_cast<std::int64_t>(value);
  return value;
}

// {label's value: value} of a family with one label.
json by_label(const Gathering& all, std::string_view name) {
  json object = json::object();
  if (const Family* family = all.find(name))
    for (const Sample& sample : family->samples) object[sample.labels.front().value] = number(sample.value);
  return object;
}

// A list of objects: each sample's labels, and its value as `field`.
json rows(const Gathering& all, std::string_view name, const char* field) {
  json list = json::array();
  const Family* family = all.find(name);
  if (!family) return list;
  for (const Sample& sample : family->samples) {
    json& row = list.emplace_back(json::object());
    for (const Label& label : sample.labels) row[std::string(label.name)] = label.value;
    row[field] = number(sample.value);
  }
  return list;
}

// Routes are found again by their first two labels: server and location.
class Routes {
 public:
  explicit Routes(const Gathering& all) {
    each(all, "seawall_http_requests", [](json& route, const Sample& sample, const Family&) {
      json& requests = route["requests"][sample.labels[3].value];
      requests = number(sample.value + (requests.is_null() ? 0.0 : requests.get<double>()));
    });
    each(all, "seawall_http_received_bytes", [](json& route, const Sample& sample, const Family&) { route["received"] = number(sample.value); });
    each(all, "seawall_http_sent_bytes", [](json& route, const Sample& sample, const Family&) { route["sent"] = number(sample.value); });
    each(all, "seawall_http_phase_seconds", [this](json& route, const Sample& sample, const Family& family) {
      bounds = family.bounds;
      route["phases"][sample.labels[2].value] = {{"seconds", sample.value}, {"count", sample.buckets.back()}, {"buckets", sample.buckets}};
    });
  }
  json bounds = json::array();
  json list = json::array();

 private:
  template <class Visit>
  void each(const Gathering& all, std::string_view name, const Visit& visit) {
    const Family* family = all.find(name);
    if (!family) return;
    for (const Sample& sample : family->samples) visit(route_of(sample), sample, *family);
  }
  json& route_of(const Sample& sample) {
    const std::string &vhost = sample.labels[0].value, &location = sample.labels[1].value;
    const auto [known, added] = index_.try_emplace(vhost + '\n' + location, list.size());
    if (added) list.push_back({{"vhost", vhost}, {"location", location}, {"requests", json::object()}, {"phases", json::object()}});
    return list[known->second];
  }
  std::map<std::string, std::size_t> index_;
};

// One object for each server of an upstream; what requests have made up is one without names.
json upstreams(const Gathering& all) {
  std::map<std::pair<std::string, std::string>, json> servers;
  const auto each = [&](std::string_view name, const auto& visit) {
    const Family* family = all.find(name);
    if (!family) return;
    for (const Sample& sample : family->samples) visit(servers[{sample.labels[0].value, sample.labels[1].value}], sample);
  };
  each("seawall_upstream_up", [](json& server, const Sample& sample) { server["up"] = number(sample.value); });
  each("seawall_upstream_requests", [](json& server, const Sample& sample) { server["requests"][sample.labels[2].value] = number(sample.value); });
  each("seawall_upstream_retries", [](json& server, const Sample& sample) { server["retries"] = number(sample.value); });
  each("seawall_upstream_header_seconds", [](json& server, const Sample& sample) {
    server["seconds"] = sample.value;
    server["answers"] = sample.buckets.back();
  });
  json list = json::array();
  for (auto& [names, server] : servers) {
    server["upstream"] = names.first;
    server["server"] = names.second;
    list.push_back(std::move(server));
  }
  return list;
}

json scripts(const Gathering& all) {
  if (!all.find("seawall_lua_runs")) return nullptr;
  return {{"errors", number(value_of(all, "seawall_lua_errors"))},
          {"runs", number(value_of(all, "seawall_lua_runs"))},
          {"seconds", value_of(all, "seawall_lua_seconds")}};
}

json talkers() {
  json list = json::array();
  for (const Talker& talker : Talkers::top(kTalkers))
    list.push_back({{"address", talker.address}, {"requests", talker.requests}, {"bytes", talker.bytes}});
  return list;
}

json connections(const Gathering& all) {
  json states = by_label(all, "seawall_connections");
  double total = 0;
  for (const auto& [state, n] : states.items()) total += n.get<double>();
  return {{"states", states}, {"open", number(total)}, {"accepted", number(value_of(all, "seawall_connections_accepted"))},
          {"accept_errors", by_label(all, "seawall_accept_errors")}};
}

json process(const Gathering& all) {
  return {{"started", value_of(all, "process_start_time_seconds")},
          {"cpu_seconds", value_of(all, "process_cpu_seconds")},
          {"memory", number(value_of(all, "process_resident_memory_bytes"))},
          {"open_files", number(value_of(all, "process_open_fds"))},
          {"max_files", number(value_of(all, "process_max_fds"))},
          {"generations", number(value_of(all, "seawall_generations"))}};
}

json configuration(const Gathering& all) {
  json info = json::object();
  if (const Family* family = all.find("seawall_config_info"); family && !family->samples.empty())
    for (const Label& label : family->samples.front().labels) info[std::string(label.name)] = label.value;
  info["loaded"] = number(value_of(all, "seawall_config_load_time_seconds"));
  return info;
}

}  // namespace

std::string report() {
  const Gathering all = gather();
  Routes routes(all);
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const json whole = {
      {"version", 1},
      {"time", static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9},
      {"process", process(all)},
      {"configuration", configuration(all)},
      {"connections", connections(all)},
      {"requests", {{"total", number(value_of(all, "seawall_requests"))}, {"aborted", number(value_of(all, "seawall_aborts"))}}},
      {"bounds", routes.bounds},
      {"routes", routes.list},
      {"timeouts", by_label(all, "seawall_timeouts")},
      {"failures", rows(all, "seawall_client_failures", "count")},
      {"h2_limits", by_label(all, "seawall_h2_limits")},
      {"handshakes", rows(all, "seawall_tls_handshakes", "count")},
      {"certificates", rows(all, "seawall_certificate_expiry_seconds", "expires")},
      {"upstreams", upstreams(all)},
      {"caches", by_label(all, "seawall_cache_requests")},
      {"lua", scripts(all)},
      {"talkers", talkers()},
      {"events", recent_lines()},
  };
  return whole.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace seawall::status
