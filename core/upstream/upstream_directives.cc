// The block `upstream` and what stands in it.
#include <algorithm>

#include "seawall/base/text.h"
#include "seawall/config/placed.h"
#include "seawall/server/exchange.h"
#include "seawall/upstream/upstream_module.h"

namespace seawall {
namespace {

UpstreamConf& conf_of(const Invocation& in) {
  Settings* main = &in.settings;
  while (main->outer) main = main->outer;
  return *static_cast<UpstreamConf*>(in.binder.own(*main, module_number<UpstreamModule>));
}

Group& group_of(const Invocation& in) { return *conf_of(in).opening; }

// Names are looked up once all of them are known.
void finish(UpstreamConf& conf, const std::function<void(const std::string&)>& warn) {
  int number = 0;
  for (const auto& group : conf.groups) {
    group->number = number++;
    if (group->is_block && std::all_of(group->servers.begin(), group->servers.end(), [](auto& server) { return server.backup; }))
      throw ConfigError("no servers in upstream \"" + group->name + "\"", group->place);
    group->resolve(warn);
  }
}

Group& add_group(UpstreamConf& conf, const Invocation& in, const std::string& name) {
  if (conf.groups.empty()) {
    Binder& binder = in.binder;
    binder.at_end([&conf, &binder] { finish(conf, binder.options().warn); });
  }
  Group& group = *conf.groups.emplace_back(std::make_shared<Group>());
  group.name = name;
  group.place = in.node.place;
  return group;
}

std::string may_not_have_port(const Group& group, std::uint16_t port) {
  return "upstream \"" + group.name + "\" may not have port " + std::to_string(port);
}

void open_upstream(UpstreamConf&, const Invocation& in) {
  UpstreamConf& conf = conf_of(in);
  Group* found = nullptr;
  for (const auto& group : conf.groups) {
    if (!equals_ignoring_case(group->name, in.arg(0))) continue;
    if (group->is_block) throw ConfigError("duplicate upstream \"" + in.arg(0) + "\"");
    if (!group->servers.front().url.is_unix && group->servers.front().url.has_port)
      throw ConfigError(may_not_have_port(*group, group->port), group->place);
    found = group.get();
  }
  if (!found) found = &add_group(conf, in, in.arg(0));
  found->is_block = true;
  found->port = 0;
  found->place = in.node.place;
  found->servers.clear();
  found->keepalive = 32;
  found->keepalive_local = true;
  conf.opening = found;
  in.binder.open(in, kUpstream);
  conf.opening = nullptr;
  if (found->servers.empty()) throw ConfigError("no servers are inside upstream");
}

// What follows `name` when the word begins so.
std::optional<std::string_view> parameter(std::string_view word, std::string_view name) {
  if (!word.starts_with(name)) return std::nullopt;
  return word.substr(name.size());
}

std::optional<int> count_of(std::string_view text) {
  const auto number = parse_decimal(text);
  if (!number || *number > 1'000'000) return std::nullopt;
  return static_cast<int>(*number);
}

// One word behind the address; false: it is none, or has a value that it cannot have.
bool read_parameter(UpstreamServer& server, std::string_view word) {
  if (const auto text = parameter(word, "weight=")) {
    const auto weight = count_of(*text);
    if (weight) server.weight = *weight;
    return weight && *weight > 0;
  }
  if (const auto text = parameter(word, "max_conns=")) {
    const auto count = count_of(*text);
    if (count) server.max_conns = *count;
    return count.has_value();
  }
  if (const auto text = parameter(word, "max_fails=")) {
    const auto count = count_of(*text);
    if (count) server.max_fails = *count;
    return count.has_value();
  }
  if (const auto text = parameter(word, "fail_timeout=")) {
    const auto time = time_of(*text);
    if (time) server.fail_timeout = std::chrono::duration_cast<std::chrono::seconds>(*time);
    return time.has_value();
  }
  if (word == "backup") return server.backup = true;
  if (word == "down") return server.down = true;
  for (const std::string_view known : {"resolve", "service=", "slow_start=", "route=", "drain"})
    if (word.starts_with(known)) throw ConfigError("parameter \"" + std::string(word) + "\" of \"server\" is not supported yet");
  return false;
}

void add_server(UpstreamConf&, const Invocation& in) {
  Group& group = group_of(in);
  UpstreamServer server;
  server.place = in.node.place;
  server.text = in.arg(0);
  for (std::size_t i = 1; i < in.args().size(); ++i)
    if (!read_parameter(server, in.arg(i))) throw ConfigError("invalid parameter \"" + in.arg(i) + "\"");
  const bool by_client = group.balance == Balance::ip_hash || group.balance == Balance::random || group.balance == Balance::random_two ||
                         group.balance == Balance::hash || group.balance == Balance::consistent_hash;
  if (server.backup && by_client) throw ConfigError("balancing method does not support parameter \"backup\"");
  std::string error;
  server.url = UpstreamUrl::parse(in.arg(0), 80, error);
  if (error.empty() && !server.url.uri.empty()) error = "invalid host";
  if (!error.empty()) throw ConfigError(error + " in upstream \"" + in.arg(0) + "\"");
  group.servers.push_back(std::move(server));
}

void set_balance(const Invocation& in, Balance balance) {
  Group& group = group_of(in);
  if (group.balance_is_set) in.warn("load balancing method redefined");
  group.balance = balance;
  group.balance_is_set = true;
}

void set_least_conn(UpstreamConf&, const Invocation& in) { set_balance(in, Balance::least_conn); }
void set_ip_hash(UpstreamConf&, const Invocation& in) { set_balance(in, Balance::ip_hash); }

void set_hash(UpstreamConf&, const Invocation& in) {
  if (in.args().size() == 2 && in.arg(1) != "consistent") throw ConfigError("invalid parameter \"" + in.arg(1) + "\"");
  set_balance(in, in.args().size() == 2 ? Balance::consistent_hash : Balance::hash);
  group_of(in).key = in.compile(in.arg(0));
}

void set_random(UpstreamConf&, const Invocation& in) {
  const auto& args = in.args();
  if (!args.empty() && args[0] != "two") throw ConfigError("invalid parameter \"" + args[0] + "\"");
  if (args.size() == 2 && args[1] != "least_conn") throw ConfigError("invalid parameter \"" + args[1] + "\"");
  set_balance(in, args.empty() ? Balance::random : Balance::random_two);
}

void set_keepalive(UpstreamConf&, const Invocation& in) {
  Group& group = group_of(in);
  const auto number = parse_decimal(in.arg(0));
  if (!number || *number > INT32_MAX) throw_invalid_value(in.arg(0), "keepalive");
  if (in.args().size() == 2 && in.arg(1) != "local") throw ConfigError("invalid parameter \"" + in.arg(1) + "\"");
  group.keepalive = static_cast<std::int64_t>(*number);
  group.keepalive_local = in.args().size() == 2;
}
void set_keepalive_requests(UpstreamConf&, const Invocation& in) { group_of(in).keepalive_requests = parse_number(in); }
void set_keepalive_time(UpstreamConf&, const Invocation& in) { group_of(in).keepalive_time = parse_time(in); }
void set_keepalive_timeout(UpstreamConf&, const Invocation& in) { group_of(in).keepalive_timeout = parse_time(in); }

// A name and a size tune nginx's memory; what the loops share here needs neither.
void set_zone(UpstreamConf&, const Invocation& in) {
  if (in.args().size() == 2 && !size_of(in.arg(1))) throw ConfigError("invalid zone size \"" + in.arg(1) + "\"");
  group_of(in).shared = true;
}

using C = UpstreamConf;
const Directive rows[] = {
    block<C>("upstream", kHttp, 1, 1, open_upstream, "Servers under one name."),
    custom<C>("server", kUpstream, 1, kMany, "address [weight=n] [max_conns=n] [max_fails=n] [fail_timeout=time] [backup] [down]",
              add_server, "One of them; a name with several addresses is several."),
    custom<C>("least_conn", kUpstream, 0, 0, "", set_least_conn, "The one with the fewest connections for its weight."),
    custom<C>("ip_hash", kUpstream, 0, 0, "", set_ip_hash, "The same one for a client's network."),
    custom<C>("hash", kUpstream, 1, 2, "key [consistent]", set_hash, "The same one for the same key."),
    custom<C>("random", kUpstream, 0, 2, "[two [least_conn]]", set_random, "Any; or the less busy one of any two."),
    custom<C>("keepalive", kUpstream, 1, 2, "number [local]", set_keepalive,
              "Idle connections each loop keeps; local: for the location that made them.", nullptr, "32 local"),
    custom<C>("keepalive_requests", kUpstream, 1, 1, "number", set_keepalive_requests, "Requests of one connection.", nullptr, "1000"),
    custom<C>("keepalive_time", kUpstream, 1, 1, "time", set_keepalive_time, "How old a connection may become.", nullptr, "1h"),
    custom<C>("keepalive_timeout", kUpstream, 1, 1, "time", set_keepalive_timeout, "How long it may be idle.", nullptr, "1m"),
    custom<C>("zone", kUpstream, 1, 2, "name [size]", set_zone, "All loops share what they know of the servers."),
};

}  // namespace

const std::span<const Directive> UpstreamModule::directives = rows;

namespace {

bool is_address(const UpstreamUrl& url) {
  if (url.is_unix) return true;
  std::string_view host = url.host;
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  return Address::parse_ip(host).has_value();
}

}  // namespace

namespace {

// Names of hosts are written in any case, paths of sockets are not.
bool is_named(const Group& group, const UpstreamUrl& url) {
  return url.is_unix ? group.name == url.host : equals_ignoring_case(group.name, url.host);
}

}  // namespace

std::shared_ptr<const Group> refer_to_group(const Invocation& in, const UpstreamUrl& url) {
  UpstreamConf& conf = conf_of(in);
  for (const auto& group : conf.groups) {
    if (!is_named(*group, url)) continue;
    if (group->is_block && url.has_port) throw ConfigError(may_not_have_port(*group, url.port));
    if (group->is_block || group->port == url.port) return group;
  }
  Group& group = add_group(conf, in, url.host);
  group.port = url.port;
  UpstreamServer& server = group.servers.emplace_back();
  server.url = url;
  server.text = url.host;
  server.place = in.node.place;
  return conf.groups.back();
}

std::shared_ptr<const Group> group_at_run_time(Exchange& x, const UpstreamUrl& url) {
  for (const auto& group : LoopUpstreams::of(x.loop).conf().groups) {
    const bool same = group->is_block ? !url.has_port : group->port == url.port;
    if (same && is_named(*group, url)) return group;
  }
  if (!is_address(url)) return nullptr;
  auto group = std::make_shared<Group>();
  group->name = url.host;
  group->port = url.port;
  UpstreamServer& server = group->servers.emplace_back();
  server.url = url;
  server.text = url.host;
  group->resolve([](const std::string&) {});
  return group;
}

LoopUpstreams::LoopUpstreams(Loop& loop, const UpstreamConf& conf) : conf_(conf), keepers_(loop, conf.caches) {
  for (const auto& group : conf.groups) groups_.push_back(std::make_unique<LoopGroup>(loop, *group));
}

LoopUpstreams& LoopUpstreams::of(Loop& loop) {
  return *static_cast<LoopUpstreams*>(loop.module_states[static_cast<std::size_t>(module_number<UpstreamModule>)]);
}

}  // namespace seawall
