// What belongs to a worker as a process: its processors, its core file, its tunnels. A table of its own (see core_module.h).
#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "seawall/async/scope.h"
#include "seawall/base/list.h"
#include "seawall/config/directive.h"
#include "seawall/http/body.h"
#include "seawall/server/cpu_affinity.h"

namespace seawall {

class Loop;

class WorkerConf {
 public:
  Setting<std::int64_t> rlimit_core{-1};  // bytes; -1: as inherited
  Setting<CpuAffinity> cpu_affinity;
  Setting<std::vector<std::string>> env;  // NAME, or NAME=value
  Setting<std::chrono::milliseconds> tunnel_shutdown_timeout{std::chrono::milliseconds(3600 * 1000)};
};

// A tunnel that a loop runs, as long as it does.
class RunningTunnel : public ListNode {
 public:
  explicit RunningTunnel(Scope& scope) : scope(scope) {}
  Scope& scope;
};

// Those of one loop: WorkerModule's state there.
class Tunnels {
 public:
  Tunnels(Loop&, const WorkerConf&) {}
  static Tunnels& of(Loop& loop);
  // False: no tunnel may begin any more.
  bool add(RunningTunnel& tunnel);
  // All end now, and whatever wants to become one.
  void end();

 private:
  List<RunningTunnel> running_;
  bool ended_ = false;
};

// Of a request that becomes a tunnel of itself (takeover.h).
class Takeover {
 public:
  std::unique_ptr<Tunnel> tunnel;
};

struct WorkerModule {
  using Conf = WorkerConf;
  using State = Takeover;
  using LoopState = Tunnels;
  static constexpr const char* name = "worker";
  static constexpr const char* summary = "the worker as a process: processors, core files, the end of its tunnels";
  static const std::span<const Directive> directives;
};

}  // namespace seawall
