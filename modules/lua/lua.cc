#include "lua.h"

#include <atomic>
#include <cstring>

#include "filters.h"
#include "handler.h"
#include "new_body.h"
#include "tcp_socket.h"
#include "seawall/log/log.h"
#include "timers.h"

namespace seawall::lua {

namespace {

std::atomic<int> loops{0};

bool hooks_server_rewrite(const Conf& conf) { return *conf.server_rewrite != nullptr; }
bool hooks_rewrite(const Conf& conf) { return *conf.rewrite != nullptr; }
bool hooks_access(const Conf& conf) { return *conf.access != nullptr; }
bool sets(const Conf& conf) { return conf.sets; }
bool hooks_content(const Conf& conf) { return conf.content != nullptr; }
// Also where a script may have said something of the response of another module.
bool hooks_response(const Conf& conf) {
  return hooks_server_rewrite(conf) || hooks_rewrite(conf) || hooks_access(conf) || sets(conf) || *conf.header_filter || *conf.body_filter;
}

constexpr Step step_rows[] = {
    step<Conf, sets, end_failed_set>(Phase::server_rewrite),
    step<Conf, sets, end_failed_set>(Phase::rewrite),
    step<Conf, hooks_server_rewrite, run_server_rewrite>(Phase::server_rewrite),
    step<Conf, hooks_rewrite, run_rewrite>(Phase::rewrite),
    step<Conf, hooks_access, run_access>(Phase::access),
    step<Conf, hooks_content, run_content>(Phase::content),
};
constexpr Filter filter_rows[] = {filter<Conf, hooks_response, run_filters>(FilterStage::script)};

// As OpenResty says it: what could not be loaded is not called that.
std::string without_prefix(const std::string& error) {
  for (const char* prefix : {"failed to load inlined Lua code: ", "failed to load external Lua file \""}) {
    if (!error.starts_with(prefix)) continue;
    return error.substr(prefix[std::strlen(prefix) - 1] == '"' ? error.find("\": ") + 3 : std::strlen(prefix));
  }
  return error;
}

void run_at_start(Vm& vm, const ChunkPtr& chunk, Hook hook, const char* name) {
  if (!chunk) return;
  Call call(hook, nullptr);
  if (!vm.run(*chunk, call)) log(Level::error, std::string(name) + (chunk->is_file ? "_file" : "") + " error: " + without_prefix(vm.error));
}

}  // namespace

const std::span<const Step> Lua::steps = step_rows;
const std::span<const Filter> Lua::filters = filter_rows;

LoopState::LoopState(Loop& loop, const Conf& main) : loop(loop), world(main.world.get()) {
  ++loops;
  if (!world) return;
  vm = std::make_unique<Vm>(loop, *world);
  profiler = std::make_unique<Profiler>(*vm);
  run_at_start(*vm, world->init, Hook::init, "init_by_lua");
  vm->writes_guarded = true;
  run_at_start(*vm, world->init_worker, Hook::init_worker, "init_worker_by_lua");
  // What the start has left over would count as in use: the next collection would wait until there is twice as much.
  const bool collected = vm->protect([](lua_State* L) { return lua_gc(L, LUA_GCCOLLECT, 0); }, nullptr);
  if (!collected) log(Level::error, "collecting what a VM's start left over failed: " + vm->error);
  // From now on: nobody waits for what is done at the start.
  if (world->cpu_budget.count() > 0) watched = std::make_unique<Watched>(world->cpu_budget);
}

LoopState::~LoopState() {
  --loops;
  if (vm) vm->begin_closing();
  if (vm) run_at_start(*vm, world->exit_worker, Hook::exit_worker, "exit_worker_by_lua");
}

RequestState::RequestState() = default;

RequestState::~RequestState() {
  if (ctx) {
    if (logs_at(main_log(), Level::debug)) log(Level::debug, "lua release ngx.ctx at ref " + std::to_string(ctx));
    vm->drop_ctx(ctx);
  }
  if (own_vm) Vm::say_who_lets_go(own_vm.use_count());
}

int loop_count() { return loops; }

Vm& vm_of(Exchange& x) {
  RequestState& state = x.state<Lua>();
  if (state.vm) return *state.vm;
  auto& of_loop = loop_state<Lua>(x.loop);
  if (*x.conf<Lua>().code_cache) {
    state.vm = of_loop.vm.get();
    return *state.vm;
  }
  state.own_vm = std::make_shared<Vm>(x.loop, *of_loop.world);
  run_at_start(*state.own_vm, of_loop.world->init, Hook::init, "init_by_lua");
  state.vm = state.own_vm.get();
  return *state.vm;
}

}  // namespace seawall::lua

using seawall::lua::Lua;
SEAWALL_MODULE(Lua)
