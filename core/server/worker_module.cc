#include "seawall/server/worker_module.h"

#include <string>

#include "seawall/config/binder.h"
#include "seawall/log/log.h"
#include "seawall/net/loop.h"

namespace seawall {
namespace {

using C = WorkerConf;

void add_env(std::vector<std::string>& list, const Invocation& in) {
  if (in.arg(0).empty() || in.arg(0).starts_with('=')) throw_invalid_value(in.arg(0), "env");
  list.push_back(in.arg(0));
}

const Directive rows[] = {
    directive<C, std::int64_t>("worker_rlimit_core", kMain, 1, 1, "size", &C::rlimit_core, parse_size,
                               "RLIMIT_CORE of the worker; unset: as inherited."),
    directive<C, CpuAffinity>("worker_cpu_affinity", kMain, 1, kMany, "mask ... | auto [mask]", &C::cpu_affinity, CpuAffinity::parse,
                              "The processors of each loop; auto: the loops take turns on them."),
    list<C, std::string>("env", kMain, 1, 1, "name[=value]", &C::env, add_env,
                         "Variables of the environment that workers and a new binary keep, or get; the others, but TZ, are taken away."),
    duration<C>("tunnel_shutdown_timeout", kMain, &C::tunnel_shutdown_timeout,
                "How long tunnels (WebSocket) of an old worker live on; 0: as long as they like (ours)."),
};

}  // namespace

const std::span<const Directive> WorkerModule::directives = rows;

Tunnels& Tunnels::of(Loop& loop) {
  return *static_cast<Tunnels*>(loop.module_states[static_cast<std::size_t>(module_number<WorkerModule>)]);
}

bool Tunnels::add(RunningTunnel& tunnel) {
  if (!ended_) running_.push_back(tunnel);
  return !ended_;
}

void Tunnels::end() {
  ended_ = true;
  if (!running_.empty()) log(Level::notice, std::to_string(running_.count()) + " tunnels end by tunnel_shutdown_timeout");
  while (RunningTunnel* tunnel = running_.pop_front()) tunnel->scope.cancel();
}

}  // namespace seawall
