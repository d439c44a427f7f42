// The core's table of upstreams, in the form of a module: the block `upstream` and what stands in it, the variables
// $upstream_*, and what is kept of each attempt.
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <span>

#include "seawall/cache/cache_path.h"
#include "seawall/config/directive.h"
#include "seawall/config/variable.h"
#include "seawall/upstream/attempts.h"
#include "seawall/upstream/group.h"
#include "seawall/upstream/health_check.h"
#include "seawall/upstream/loop_upstreams.h"

namespace seawall {

// In main: every group of the configuration. Other blocks have nothing of their own.
class UpstreamConf {
 public:
  std::deque<std::shared_ptr<Group>> groups;
  std::vector<std::shared_ptr<const CachePath>> caches;  // *_cache_path
  std::deque<HealthCheck> checks;
  std::map<std::string, std::shared_ptr<const Match>> matches;
  std::map<const Settings*, std::shared_ptr<Group>> referred;  // by the blocks that pass requests to them
  bool begun = false;        // its end is seen to
  Group* opening = nullptr;  // whose block is being read
};

struct UpstreamModule {
  using Conf = UpstreamConf;
  using State = Attempts;
  using LoopState = LoopUpstreams;
  static constexpr const char* name = "upstream";
  static constexpr const char* summary = "groups of servers that requests are passed to";
  static const std::span<const Directive> directives;
  static const std::span<const VariableRow> variables;
};

}  // namespace seawall
