#include "seawall/upstream/resolver_module.h"

#include <algorithm>
#include <random>

#include "seawall/config/placed.h"
#include "seawall/net/loop.h"
#include "seawall/server/exchange.h"

namespace seawall {
namespace {

constexpr std::uint16_t kDnsPort = 53;

// An address, or a name that the system knows at start-up.
void add_servers(NameServers& conf, const std::string& word) {
  std::string error;
  UpstreamServer server;
  server.url = UpstreamUrl::parse(word, kDnsPort, error);
  if (error.empty() && (server.url.is_unix || !server.url.uri.empty())) error = "invalid host";
  if (!error.empty()) throw ConfigError(error + " in name server \"" + word + "\"");
  Group found;
  found.servers.push_back(std::move(server));
  found.resolve([&](const std::string&) { throw ConfigError("host not found in resolver \"" + word + "\""); });
  for (const Peer& peer : found.primary) conf.servers.push_back(peer.address);
}

bool on_or_off(const std::string& word, std::size_t from) {
  const std::string_view value = std::string_view(word).substr(from);
  if (value != "on" && value != "off") throw ConfigError("invalid parameter: " + word);
  return value == "on";
}

}  // namespace

std::shared_ptr<const NameServers> parse_resolver(const Invocation& in) {
  auto conf = std::make_shared<NameServers>();
  for (const std::string& word : in.args()) {
    if (word.starts_with("valid=")) {
      const auto time = time_of(std::string_view(word).substr(6));
      if (!time) throw ConfigError("invalid parameter: " + word);
      conf->valid = std::chrono::duration_cast<std::chrono::seconds>(*time);
    } else if (word.starts_with("ipv4=")) {
      conf->ipv4 = on_or_off(word, 5);
    } else if (word.starts_with("ipv6=")) {
      conf->ipv6 = on_or_off(word, 5);
    } else if (word.starts_with("status_zone=")) {
      throw ConfigError("parameter \"" + word + "\" of \"resolver\" is not supported yet");
    } else {
      add_servers(*conf, word);
    }
  }
  if (!conf->ipv4 && !conf->ipv6) throw ConfigError("\"ipv4\" and \"ipv6\" cannot both be \"off\"");
  if (conf->servers.empty()) throw ConfigError("no name servers defined");
  return conf;
}

namespace {

using C = ResolverConf;
constexpr unsigned kAll = kHttp | kServer | kLocation;
const Directive rows[] = {
    directive<C, std::shared_ptr<const NameServers>>("resolver", kAll, 1, kMany, "address ... [valid=time] [ipv4=on|off] [ipv6=on|off]",
                                                     &C::resolver, parse_resolver,
                                                     "The DNS servers that names in variables of proxy_pass and its kin are asked of."),
    duration<C>("resolver_timeout", kAll, &C::resolver_timeout, "How long a name may take."),
};

// As nginx does it: an answer that has just come is taken in its order, of one that was kept each request begins with another address.
void turn(std::vector<Address>& all) {
  static thread_local std::minstd_rand numbers{std::random_device{}()};
  std::rotate(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(numbers() % all.size()), all.end());
}

// A group for this request.
std::shared_ptr<const Group> make_group(const UpstreamUrl& url, const std::vector<Address>& addresses) {
  auto group = std::make_shared<Group>();
  group->name = url.host;
  group->port = url.port;
  UpstreamServer& server = group->servers.emplace_back();
  server.url = url;
  server.text = url.host;
  for (const Address& address : addresses) group->add(address.with_port(url.port), server);
  return group;
}

}  // namespace

const std::span<const Directive> ResolverModule::directives = rows;

LoopResolvers& LoopResolvers::of(Loop& loop) {
  return *static_cast<LoopResolvers*>(loop.module_states[static_cast<std::size_t>(module_number<ResolverModule>)]);
}

Resolver& LoopResolvers::resolver(const NameServers& conf) {
  std::unique_ptr<Resolver>& known = resolvers_[&conf];
  if (!known) known = std::make_unique<Resolver>(loop_, conf);
  return *known;
}

Task<std::vector<Address>> resolve_name(const Settings& block, Loop& loop, std::string name, std::string& error) {
  const auto* conf = static_cast<const ResolverConf*>(block.get(module_number<ResolverModule>));
  if (!conf || !*conf->resolver) {
    error = "no resolver defined to resolve \"" + name + "\"";
    co_return std::vector<Address>();
  }
  Resolved found = co_await LoopResolvers::of(loop).resolver(**conf->resolver).resolve(name, Deadline::in(*conf->resolver_timeout, Wait::connect));
  if (found.error) error = name + " could not be resolved (" + found.text() + ")";
  co_return std::move(found.addresses);
}

Task<std::shared_ptr<const Group>> find_group(Exchange& x, const UpstreamUrl& url) {
  if (auto known = group_at_run_time(x, url)) co_return known;
  const ResolverConf& conf = x.conf<ResolverModule>();
  if (!*conf.resolver) {
    x.log(Level::error, "no resolver defined to resolve " + url.host);
    co_return nullptr;
  }
  Resolved found = co_await LoopResolvers::of(x.loop).resolver(**conf.resolver).resolve(url.host, Deadline::in(*conf.resolver_timeout, Wait::connect));
  if (found.error) {
    x.log(Level::error, url.host + " could not be resolved (" + found.text() + ")");
    co_return nullptr;
  }
  if (url.port == 0) {
    x.log(Level::error, "no port in upstream \"" + url.host + "\"");
    co_return nullptr;
  }
  if (found.was_known) turn(found.addresses);
  co_return make_group(url, found.addresses);
}

}  // namespace seawall
