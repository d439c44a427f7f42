// The block `upstream` and what stands in it.
#include <algorithm>

#include "seawall/base/text.h"
#include "seawall/config/placed.h"
#include "seawall/server/exchange.h"
#include "seawall/upstream/chooser.h"
#include "seawall/upstream/kept_names.h"
#include "seawall/upstream/resolver_module.h"
#include "seawall/upstream/sticky.h"
#include "seawall/upstream/upstream_module.h"

namespace seawall {
namespace {

UpstreamConf& conf_of(const Invocation& in) {
  Settings* main = &in.settings;
  while (main->outer) main = main->outer;
  return *static_cast<UpstreamConf*>(in.binder.own(*main, module_number<UpstreamModule>));
}

// What the block http says of resolvers: the outermost but one.
const ResolverConf& http_of(const Invocation& in) {
  Settings* http = &in.settings;
  while (http->outer && http->outer->outer) http = http->outer;
  return *static_cast<const ResolverConf*>(in.binder.own(*http, module_number<ResolverModule>));
}

Group& group_of(const Invocation& in) { return *conf_of(in).opening; }

// Who is asked for the names of a group at run time: those of the block, else of http.
void find_resolver(Group& group, const ResolverConf& http) {
  if (!group.resolves()) return;
  group.shared = true;  // one loop asks for all
  if (!group.resolver_timeout_is_set) group.resolver_timeout = *http.resolver_timeout;
  if (!group.name_servers) group.name_servers = *http.resolver;
  if (!group.name_servers)
    throw ConfigError("no resolver defined to resolve names at run time in upstream \"" + group.name + "\"", group.place);
}

// Names are looked up once all of them are known.
void finish(UpstreamConf& conf, const ResolverConf& http, const std::function<void(const std::string&)>& warn) {
  int number = 0;
  HealthChecks::link(conf);
  for (const auto& group : conf.groups) {
    group->number = number++;
    find_resolver(*group, http);
    if (group->is_block && std::all_of(group->servers.begin(), group->servers.end(), [](auto& server) { return server.backup; }))
      throw ConfigError("no servers in upstream \"" + group->name + "\"", group->place);
    group->resolve(warn);
  }
}

// What is left to be done at the end: once.
void begin(UpstreamConf& conf, const Invocation& in) {
  if (std::exchange(conf.begun, true)) return;
  Binder& binder = in.binder;
  binder.at_end([&conf, &binder, &http = http_of(in)] { finish(conf, http, binder.options().warn); });
}

Group& add_group(UpstreamConf& conf, const Invocation& in, const std::string& name) {
  begin(conf, in);
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

bool is_address(const UpstreamUrl& url) {
  if (url.is_unix) return true;
  std::string_view host = url.host;
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  return Address::parse_ip(host).has_value();
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
  if (const auto text = parameter(word, "slow_start=")) {
    const auto time = time_of(*text);
    if (time) server.slow_start = *time;
    return time.has_value();
  }
  if (const auto text = parameter(word, "route=")) {
    server.route = *text;
    if (text->empty()) throw ConfigError("route is empty");
    if (text->size() > Sticky::kLongestId) throw ConfigError("route is longer than " + std::to_string(Sticky::kLongestId));
    return true;
  }
  if (const auto text = parameter(word, "service=")) {
    server.service = *text;
    if (text->empty()) throw ConfigError("service is empty");
    return true;
  }
  if (word == "backup") return server.backup = true;
  if (word == "down") return server.down = true;
  if (word == "drain") return server.drain = true;
  if (word == "resolve") return server.resolve = true;
  return false;
}

// A name that is asked for at run time; an address needs no asking.
void check_resolve(UpstreamServer& server) {
  const std::string& text = server.text;
  if (!server.service.empty() && !server.resolve)
    throw ConfigError("service upstream \"" + text + "\" requires \"resolve\" parameter");
  if (!server.service.empty() && server.url.has_port) throw ConfigError("service upstream \"" + text + "\" may not have port");
  if (!is_address(server.url)) return;
  if (!server.service.empty()) throw ConfigError("service upstream \"" + text + "\" requires domain name");
  server.resolve = false;
}

void add_server(UpstreamConf&, const Invocation& in) {
  Group& group = group_of(in);
  UpstreamServer server;
  server.place = in.node.place;
  server.text = in.arg(0);
  for (std::size_t i = 1; i < in.args().size(); ++i)
    if (!read_parameter(server, in.arg(i))) throw ConfigError("invalid parameter \"" + in.arg(i) + "\"");
  if (server.backup && !group.takes_backups()) throw ConfigError("balancing method does not support parameter \"backup\"");
  if (server.slow_start.count() > 0 && !group.takes_backups())
    throw ConfigError("balancing method does not support parameter \"slow_start\"");
  std::string error;
  server.url = UpstreamUrl::parse(in.arg(0), 80, error);
  if (error.empty() && !server.url.uri.empty()) error = "invalid host";
  if (!error.empty()) throw ConfigError(error + " in upstream \"" + in.arg(0) + "\"");
  check_resolve(server);
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

bool until_header(const std::string& word) {
  if (word != "header" && word != "last_byte") throw ConfigError("invalid value \"" + word + "\"");
  return word == "header";
}

void set_random(UpstreamConf&, const Invocation& in) {
  const auto& args = in.args();
  if (!args.empty() && args[0] != "two") throw ConfigError("invalid parameter \"" + args[0] + "\"");
  const bool by_time = args.size() == 2 && args[1].starts_with("least_time=");
  if (args.size() == 2 && args[1] != "least_conn" && !by_time) throw ConfigError("invalid parameter \"" + args[1] + "\"");
  set_balance(in, args.empty() ? Balance::random : by_time ? Balance::random_two_least_time : Balance::random_two);
  if (by_time) group_of(in).time_to_header = until_header(args[1].substr(11));
}

// least_time header | last_byte [inflight];
void set_least_time(UpstreamConf&, const Invocation& in) {
  if (in.args().size() == 2 && in.arg(1) != "inflight") throw ConfigError("invalid parameter \"" + in.arg(1) + "\"");
  set_balance(in, Balance::least_time);
  Group& group = group_of(in);
  group.time_to_header = until_header(in.arg(0));
  group.counts_inflight = in.args().size() == 2;
}

void set_sticky(UpstreamConf&, const Invocation& in) {
  Group& group = group_of(in);
  if (group.sticky) throw_duplicate("sticky");
  group.sticky = std::make_unique<const Sticky>(in, group.name);
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

// What the loops share lies in the process; in the zone, what the next configuration is to know of names.
void set_zone(UpstreamConf&, const Invocation& in) {
  Group& group = group_of(in);
  const bool sized = in.args().size() == 2;
  if (in.arg(0).empty()) throw ConfigError("invalid zone name \"\"");
  group.zone = sized ? &in.binder.zones().declare(in, "zone=" + in.arg(0) + ":" + in.arg(1), kNamesUse)
                     : &in.binder.zones().get(in.arg(0), 0, kNamesUse, in.node.place);
  group.shared = true;
}

void set_resolver(UpstreamConf&, const Invocation& in) {
  Group& group = group_of(in);
  if (group.name_servers) throw_duplicate("resolver");
  group.name_servers = parse_resolver(in);
}
void set_resolver_timeout(UpstreamConf&, const Invocation& in) {
  Group& group = group_of(in);
  if (std::exchange(group.resolver_timeout_is_set, true)) throw_duplicate("resolver_timeout");
  group.resolver_timeout = parse_time(in);
}

void add_health_check(UpstreamConf&, const Invocation& in) {
  UpstreamConf& conf = conf_of(in);
  if (std::any_of(conf.checks.begin(), conf.checks.end(), [&](const HealthCheck& check) { return check.settings == &in.settings; }))
    throw_duplicate("health_check");
  conf.checks.emplace_back(in);
  begin(conf, in);
}

void open_match(UpstreamConf&, const Invocation& in) {
  UpstreamConf& conf = conf_of(in);
  if (!conf.matches.try_emplace(in.arg(0), std::make_shared<const Match>(in)).second) throw ConfigError("duplicate match \"" + in.arg(0) + "\"");
}

using C = UpstreamConf;
const Directive rows[] = {
    custom<C>("health_check", kLocation, 0, kMany,
              "[interval=time] [jitter=time] [fails=number] [passes=number] [uri=uri] [port=number] [match=name] [mandatory] [type=http|tcp]",
              add_health_check, "Asks each server that the location passes requests to, again and again; who is not well gets none."),
    block<C>("match", kHttp, 1, 1, open_match,
             "NAME { status CODES; header ...; body ~ REGEX; require $variable ...; }: what a health check wants of an answer."),
    block<C>("upstream", kHttp, 1, 1, open_upstream, "Servers under one name."),
    custom<C>("server", kUpstream, 1, kMany,
              "address [weight=n] [max_conns=n] [max_fails=n] [fail_timeout=time] [slow_start=time] [route=id] [resolve] [service=name] "
              "[backup] [down] [drain]",
              add_server, "One of them; a name with several addresses is several. resolve: asks for the name again whenever its "
              "time to live is over (service: for SRV records), which needs a resolver."),
    custom<C>("least_conn", kUpstream, 0, 0, "", set_least_conn, "The one with the fewest connections for its weight."),
    custom<C>("ip_hash", kUpstream, 0, 0, "", set_ip_hash, "The same one for a client's network."),
    custom<C>("hash", kUpstream, 1, 2, "key [consistent]", set_hash, "The same one for the same key."),
    custom<C>("random", kUpstream, 0, 2, "[two [least_conn | least_time=header|last_byte]]", set_random,
              "Any; or the less busy, or faster, one of any two."),
    custom<C>("least_time", kUpstream, 1, 2, "header | last_byte [inflight]", set_least_time,
              "The one that will be ready first, by how long its responses have taken so far."),
    custom<C>("sticky", kUpstream, 2, kMany,
              "cookie name [expires=time|max] [domain=value] [path=path] [httponly] [secure] [samesite=value] | route $variable ... | "
              "learn create=$variable lookup=$variable zone=name:size [timeout=time] [header]",
              set_sticky, "A client gets the server that it had: told by a cookie of ours, by the request, or by what the server gave it."),
    custom<C>("keepalive", kUpstream, 1, 2, "number [local]", set_keepalive,
              "Idle connections each loop keeps; local: for the location that made them.", nullptr, "32 local"),
    custom<C>("keepalive_requests", kUpstream, 1, 1, "number", set_keepalive_requests, "Requests of one connection.", nullptr, "1000"),
    custom<C>("keepalive_time", kUpstream, 1, 1, "time", set_keepalive_time, "How old a connection may become.", nullptr, "1h"),
    custom<C>("keepalive_timeout", kUpstream, 1, 1, "time", set_keepalive_timeout, "How long it may be idle.", nullptr, "1m"),
    custom<C>("zone", kUpstream, 1, 2, "name [size]", set_zone,
              "All loops share what they know of the servers (with resolve they do so without, too); the addresses of names are known "
              "after a reload at once."),
    custom<C>("resolver", kUpstream, 1, kMany, "address ... [valid=time] [ipv4=on|off] [ipv6=on|off]", set_resolver,
              "The DNS servers for names with resolve, instead of http's."),
    custom<C>("resolver_timeout", kUpstream, 1, 1, "time", set_resolver_timeout, "How long a name may take.", nullptr, "30s"),
};

}  // namespace

const std::span<const Directive> UpstreamModule::directives = rows;

void set_chooser(const Invocation& in, std::shared_ptr<const PeerChooser> chooser) {
  Group& group = group_of(in);
  if (group.chooser) throw ConfigError("\"" + in.node.name + "\" directive is duplicate");
  group.chooser = std::move(chooser);
}

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
    if (group->is_block || group->port == url.port) return conf.referred[&in.settings] = group;
  }
  Group& group = add_group(conf, in, url.host);
  group.port = url.port;
  UpstreamServer& server = group.servers.emplace_back();
  server.url = url;
  server.text = url.host;
  server.place = in.node.place;
  return conf.referred[&in.settings] = conf.groups.back();
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
  if (loop.number() == 0) names_.keep(loop, conf.groups);
}

void LoopUpstreams::start_checks(Loop& loop, const std::deque<Vhost>& vhosts) {
  if (loop.number() == 0) HealthChecks::start(loop, conf_, vhosts);
}

LoopUpstreams& LoopUpstreams::of(Loop& loop) {
  return *static_cast<LoopUpstreams*>(loop.module_states[static_cast<std::size_t>(module_number<UpstreamModule>)]);
}

}  // namespace seawall
