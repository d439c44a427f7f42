// The directives `resolver` and `resolver_timeout`, and the resolvers of each loop.
#pragma once
#include <chrono>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "seawall/config/directive.h"
#include "seawall/net/resolver.h"
#include "seawall/upstream/group.h"

namespace seawall {

class ResolverConf {
 public:
  Setting<std::shared_ptr<const NameServers>> resolver;  // null: none
  Setting<Milliseconds> resolver_timeout{std::chrono::seconds(30)};
};

// address ... [valid=time] [ipv4=on|off] [ipv6=on|off]. ConfigError in nginx's words.
std::shared_ptr<const NameServers> parse_resolver(const Invocation& in);

// One for each line that a request has used. One loop.
class LoopResolvers {
 public:
  LoopResolvers(Loop& loop, const ResolverConf&) : loop_(loop) {}
  static LoopResolvers& of(Loop& loop);
  Resolver& resolver(const NameServers& conf);

 private:
  Loop& loop_;
  std::map<const NameServers*, std::unique_ptr<Resolver>> resolvers_;
};

struct ResolverModule {
  using Conf = ResolverConf;
  using LoopState = LoopResolvers;
  static constexpr const char* name = "resolver";
  static constexpr const char* summary = "names of upstreams that are looked up at run time";
  static const std::span<const Directive> directives;
};

// The addresses of a name as the `resolver` of a block has them; none: `error` says why, in nginx's words. For who has no upstream
// (a script's socket).
SEAWALL_API Task<std::vector<Address>> resolve_name(const Settings& block, Loop& loop, std::string name, std::string& error);

class Exchange;
// The group for a URL that only a request has made: one of the configuration, one of its own for an address, or for a name that
// the resolver of the location knows. Null after a line in the log; 502 then answers.
SEAWALL_API Task<std::shared_ptr<const Group>> find_group(Exchange& x, const UpstreamUrl& url);

}  // namespace seawall
