// ngx.sleep, ngx.thread and what coroutines ask of their light thread. One loop.
#include "api.h"
#include "seawall/async/event.h"
#include "seawall/log/log.h"
#include "seawall/server/exchange.h"

namespace seawall::lua {
namespace {

// A timer and no task: thousands of scripts may sleep for long.
class SleepAwait final : public Await {
 public:
  SleepAwait(Exchange* x, double seconds) : x_(x), time_(nanoseconds(seconds)) {}
  ~SleepAwait() override { give_up(); }
  bool begin(LightThread& thread) override {
    log_debug(x_, [&] { return "lua ready to sleep for " + std::to_string(time_ / 1'000'000) + " ms"; });
    alarm_.sleeper = &thread;
    Scheduler::current().arm(alarm_.timer, Scheduler::current().now() + time_);
    return false;
  }
  Task<void> run() override { co_return; }
  void give_up() override {
    if (!alarm_.timer.armed()) return;
    Scheduler::current().disarm(alarm_.timer);
    log_debug(x_, [] { return "lua clean up the timer for pending ngx.sleep"; });
  }
  int push(lua_State*) override {
    log_debug(x_, [&] { return "lua sleep timer expired: \"" + (x_ ? x_->uri + "?" + x_->args : "?") + "\""; });
    return 0;
  }

 private:
  struct Alarm {
    Timer timer{[](Timer& timer) {
      LightThread& sleeper = *reinterpret_cast<Alarm&>(timer).sleeper;
      sleeper.script.wake(sleeper);
    }};
    LightThread* sleeper = nullptr;
  };
  Exchange* const x_;
  const std::int64_t time_;
  Alarm alarm_;
};

int sleep(lua_State* L) {
  if (lua_gettop(L) != 1) return raise(L, 2, "attempt to pass %d arguments, but accepted 1", lua_gettop(L));
  if (!lua_isnumber(L, 1)) return raise_argument(L, 2, 1, "sleep", "number expected");
  const double seconds = lua_tonumber(L, 1);
  if (!(seconds >= 0)) return raise(L, 2, "invalid sleep duration \"%d\"", whole_number(seconds * 1000));
  const Call& call = check_call(L, kWaiting, 2);
  return wait_for(L, std::make_unique<SleepAwait>(call.x, seconds));
}

int spawn(lua_State* L) {
  Call& call = check_call(L, kWaiting, 2);
  if (!lua_isfunction(L, 1) || lua_iscfunction(L, 1)) return raise_argument(L, 2, 1, "spawn", "Lua function expected");
  call.script->spawn(L, lua_gettop(L) - 1);
  // On this stack now: the new coroutine, which the shim keeps.
  return 1;
}

// The second half of spawn: who has spawned runs behind what it has spawned.
class GiveWay final : public Await {
 public:
  bool begin(LightThread& thread) override {
    thread.script.let_spawned_run(thread);
    return false;
  }
  Task<void> run() override { co_return; }
  int push(lua_State*) override { return 0; }
};
int give_way(lua_State* L) { return wait_for(L, std::make_unique<GiveWay>()); }

// The results of a light thread that has ended, from its stack onto L.
int push_results(lua_State* L, LightThread& thread) {
  lua_State* const co = thread.coroutine.state;
  thread.reaped = true;
  lua_pushboolean(L, thread.ok);
  if (!thread.ok) {
    lua_pushvalue(co, -1);
    lua_xmove(co, L, 1);
    return 2;
  }
  const int count = lua_gettop(co);
  luaL_checkstack(L, count + 1, "too many results");
  for (int i = 1; i <= count; ++i) lua_pushvalue(co, i);
  lua_xmove(co, L, count);
  return count + 1;
}

class ThreadAwait final : public Await {
 public:
  explicit ThreadAwait(std::vector<LightThread*> threads) : threads_(std::move(threads)) {}
  bool begin(LightThread& waiter) override {
    for (LightThread* thread : threads_) thread->awaited_by = &waiter;
    return false;
  }
  Task<void> run() override { co_return; }
  int push(lua_State* L) override {
    for (LightThread* thread : threads_)
      if (thread->state == LightThread::State::ended && !thread->reaped) return push_results(L, *thread);
    return push_error(L, "no thread has ended");
  }

 private:
  std::vector<LightThread*> threads_;
};

int wait(lua_State* L) {
  Call& call = check_call(L, kWaiting, 2);
  const int count = lua_gettop(L);
  if (count < 1) return raise(L, 2, "at least one coroutine should be specified");
  std::vector<LightThread*> threads;
  for (int i = 1; i <= count; ++i) {
    lua_State* const co = lua_tothread(L, i);
    if (!co) return raise_argument(L, 2, i, "wait", "lua thread expected");
    LightThread* const thread = call.script->find(co);
    if (!thread || thread->reaped) return push_error(L, "already waited or killed");
    if (thread->is_entry) return raise(L, 2, "attempt to wait on a coroutine that is not a user thread");
    if (thread->parent != &call.script->current()) return raise(L, 2, "only the parent coroutine can wait on the thread");
    if (thread->state == LightThread::State::ended) return push_results(L, *thread);
    threads.push_back(thread);
  }
  return wait_for(L, std::make_unique<ThreadAwait>(std::move(threads)));
}

int kill(lua_State* L) {
  Call& call = check_call(L, kWaiting);
  lua_State* const co = lua_tothread(L, 1);
  if (lua_gettop(L) != 1 || !co) return luaL_argerror(L, 1, "lua thread expected");
  LightThread* const thread = call.script->find(co);
  if (!thread || thread->is_entry) return push_error(L, thread ? "not user thread" : "already waited or killed");
  if (thread->parent != &call.script->current()) return push_error(L, "killer not parent");
  if (thread->reaped) return push_error(L, "already waited or killed");
  if (thread->state == LightThread::State::ended) {
    thread->reaped = true;
    return push_error(L, "already terminated");
  }
  call.script->kill(*thread);
  lua_pushinteger(L, 1);
  return 1;
}

// status(co): that of a light thread; nil: it is none. One that has resumed a coroutine which asks is "normal".
int thread_status(lua_State* L) {
  Call* const call = Vm::now()->call;
  LightThread* const thread = call && call->script ? call->script->find(lua_tothread(L, 1)) : nullptr;
  if (!thread) return 0;
  if (thread->state == LightThread::State::ended) lua_pushstring(L, thread->reaped ? "dead" : "zombie");
  else lua_pushstring(L, thread == &call->script->current() && thread->coroutine.state != L ? "normal" : "running");
  return 1;
}

// is_light(co): a light thread of whatever script, which nobody but it may resume.
int is_light(lua_State* L) {
  lua_pushboolean(L, Vm::now()->light.contains(lua_tothread(L, 1)));
  return 1;
}

constexpr luaL_Reg kThread[] = {{"is_light", is_light}, {"sleep", sleep}, {"thread_spawn", spawn}, {"give_way", give_way}, {"thread_wait", wait},
                                {"thread_kill", kill}, {"thread_status", thread_status}};

}  // namespace

std::span<const luaL_Reg> thread_api() { return kThread; }

}  // namespace seawall::lua
