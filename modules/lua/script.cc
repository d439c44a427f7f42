#include "script.h"

#include <algorithm>
#include <exception>

#include "api.h"
#include "counts.h"
#include "lua.h"
#include "seawall/base/check.h"
#include "seawall/log/log.h"
#include "seawall/server/exchange.h"

namespace seawall::lua {
namespace {

const char* kind_of(int result) {
  switch (result) {
    case LUA_ERRRUN: return "runtime error";
    case LUA_ERRSYNTAX: return "syntax error";
    case LUA_ERRMEM: return "not enough memory";
    case LUA_ERRERR: return "error handler error";
    default: return "unknown error";
  }
}

void log_line(Exchange* x, Level level, const std::string& text) {
  if (x) x->log(level, text);
  else seawall::log(level, text);
}

}  // namespace

LightThread::LightThread(Script& script, Vm::Coroutine coroutine, LightThread* parent, bool is_entry)
    : script(script), coroutine(coroutine), parent(parent), is_entry(is_entry) {}

Script::Script(Vm& vm, Hook hook, Exchange* x, Scope* background)
    : vm(vm), hook(hook), x(x), settings(x ? x->location->settings : vm.world.http), background_(background) {}

Script::~Script() {
  if (!sockets_.empty()) abandon_sockets();
  each([this](LightThread& thread) { vm.give_back(thread.coroutine, false); });
  vm.give_back(on_abort, false);
}

bool Script::begin(const Chunk& chunk) {
  const Vm::Coroutine coroutine = vm.start(chunk, x);
  if (!coroutine.state) {
    count_error();
    log_line(x, Level::error, vm.error);
    status = vm.error_status;
    return false;
  }
  begin(coroutine, 0);
  return true;
}

void Script::begin(Vm::Coroutine coroutine, int arguments) {
  LightThread& thread = entry_.emplace(*this, coroutine, nullptr, true);
  thread.arguments = arguments;
  ready_.push_back(thread);
}

LightThread* Script::find(lua_State* L) {
  LightThread* found = nullptr;
  each([&](LightThread& thread) {
    if (thread.coroutine.state == L) found = &thread;
  });
  return found;
}

LightThread& Script::spawn(lua_State* from, int arguments) {
  Vm::Coroutine coroutine;
  coroutine.state = lua_newthread(from);
  lua_pushvalue(from, -1);
  coroutine.ref = luaL_ref(from, LUA_REGISTRYINDEX);
  vm.light.insert(coroutine.state);
  lua_insert(from, 1);
  lua_xmove(from, coroutine.state, arguments + 1);
  LightThread& thread = spawned_.emplace_back(*this, coroutine, current_, false);
  thread.arguments = arguments;
  ready_.push_front(thread);
  return thread;
}

void Script::let_spawned_run(LightThread& thread) {
  thread.state = LightThread::State::ready;
  LightThread* behind = ready_.front();
  while (behind && !behind->has_waited) behind = ready_.next(*behind);
  ready_.insert(behind, thread);
}

void Script::make_ready(LightThread& thread) {
  CHECK(!thread.at_work);
  thread.state = LightThread::State::ready;
  ready_.push_back(thread);
  woken_.set();
}

void Script::remember(const std::shared_ptr<ScriptSocket>& socket) {
  socket->script = this;
  if (sockets_.size() >= sockets_checked_at_) {
    std::erase_if(sockets_, [](const std::weak_ptr<ScriptSocket>& known) { return known.expired(); });
    sockets_checked_at_ = std::max<std::size_t>(16, sockets_.size() * 2);
  }
  sockets_.push_back(socket);
}

// Once nothing of the script waits any more: whoever has kept one finds it closed.
void Script::abandon_sockets() {
  for (const auto& known : sockets_)
    if (const std::shared_ptr<ScriptSocket> socket = known.lock()) {
      socket->script = nullptr;
      socket->abandon();
    }
  sockets_.clear();
}

void Script::wake_flushers() {
  for (LightThread* thread : flushers) make_ready(*thread);
  flushers.clear();
}

void Script::finish(Verdict verdict_) {
  verdict = std::move(verdict_);
  ended_ = true;
}

// What it was waiting for is nobody's concern any more.
void Script::nobody_awaits_for(const LightThread& thread) {
  each([&](LightThread& other) {
    if (other.awaited_by == &thread) other.awaited_by = nullptr;
  });
}

void Script::kill(LightThread& thread) {
  thread.state = LightThread::State::ended;
  thread.reaped = true;
  nobody_awaits_for(thread);
  thread.unlink();
  std::erase(flushers, &thread);
  if (thread.await) thread.await->give_up();
  if (thread.scope) thread.scope->cancel();
}

void Script::cancel() {
  ended_ = true;
  each([](LightThread& thread) {
    if (thread.scope) thread.scope->cancel();
    else if (thread.await) thread.await->give_up();
  });
  while (ready_.pop_front()) {
  }
  flushers.clear();
}

Task<void> Script::end() {
  cancel();
  if (scope_) co_await scope_->join();
  abandon_sockets();
}

Task<void> Script::run_out() {
  while (!ended_) {
    const Stop stop = co_await run();
    if (stop == Stop::cancelled) break;
    out.clear();
    flush = eof = wants_connection = false;
    wake_flushers();
  }
}

bool Script::tell_of_abort() {
  if (!on_abort.state || ended_) return false;
  LightThread& thread = spawned_.emplace_back(*this, std::exchange(on_abort, {}), nullptr, false);
  thread.reaped = true;  // nobody waits for it
  ready_.push_front(thread);
  return true;
}

std::optional<Stop> Script::advance() {
  while (!ended_ && !ready_.empty()) resume(*ready_.pop_front());
  if (ended_) return Stop::finished;
  reap_ended();
  if (wants_to_send()) return Stop::output;
  return std::nullopt;
}

Deadline Script::begin_wait() {
  woken_.reset();
  has_waited_ = true;
  if (until) return *until;
  const bool has_end = x && !x->state<Lua>().client;  // tunnels have none
  return has_end ? x->last_deadline(Wait::handler) : Deadline::never(Wait::handler);
}

std::optional<Stop> Script::end_wait(Errc waited) {
  if (waited == Errc::ok) return advance();
  if (!on_abort.state) cancel();
  return Stop::cancelled;
}

Task<Stop> Script::run() {
  std::optional<Stop> stop = advance();
  while (!stop) stop = co_await wait();
  co_return *stop;
}

// Those that nobody can ask about any more.
void Script::reap_ended() {
  const auto is_done = [](const LightThread& thread) {
    return thread.state == LightThread::State::ended && thread.reaped && !thread.at_work;
  };
  if (entry_ && is_done(*entry_)) {
    forget(*entry_);
    entry_.reset();
  }
  for (auto it = spawned_.begin(); it != spawned_.end();) {
    if (!is_done(*it)) {
      ++it;
      continue;
    }
    forget(*it);
    it = spawned_.erase(it);
  }
}

// Nothing points at it any more; nobody can ask about what it has spawned.
void Script::forget(LightThread& thread) {
  each([&](LightThread& other) {
    if (other.parent != &thread) return;
    other.parent = nullptr;
    if (other.state == LightThread::State::ended) other.reaped = true;
  });
  nobody_awaits_for(thread);
  vm.give_back(thread.coroutine, false);
}

void Script::resume(LightThread& thread) {
  Call call(hook, x);
  call.script = this;
  call.settings = settings;
  current_ = &thread;
  thread.has_waited = false;
  int result;
  {
    Vm::Entered entered(vm, call);
    result = lua_resume(thread.coroutine.state, std::exchange(thread.arguments, 0));
  }
  current_ = nullptr;
  if (result != LUA_YIELD) return ended(thread, result);
  lua_State* const L = thread.coroutine.state;
  const bool waits = lua_gettop(L) > 0 && lua_touserdata(L, -1) == wait_token();
  lua_settop(L, 0);
  std::unique_ptr<Await> proposed = std::move(thread.proposed);
  if (ended_ || thread.state == LightThread::State::ended) return;
  if (!waits || !proposed) return make_ready(thread);  // coroutine.yield() of a light thread: others first
  thread.await = std::move(proposed);
  thread.state = LightThread::State::waiting;
  if (!thread.await->begin(thread)) return;
  if (!scope_) scope_.emplace(background_);
  scope_->spawn(await(thread));
}

Task<void> Script::await(LightThread& thread) {
  Scope scope(nullptr);
  thread.scope = &scope;
  thread.at_work = true;
  std::exception_ptr failed;
  try {
    Task<void> task = thread.await->run();
    co_await std::move(task).in(scope);
  } catch (...) {
    failed = std::current_exception();
  }
  thread.at_work = false;
  thread.scope = nullptr;
  if (failed) fail(failed);
  if (thread.state == LightThread::State::ended) thread.await.reset();  // killed: what it was given goes to others, who may wait for it
  wake(thread);
}

// No memory, a bug: the script cannot go on. Whoever hears of exceptions logs it.
void Script::fail(std::exception_ptr error) {
  Verdict verdict;
  verdict.kind = Verdict::failed;
  finish_from_outside(std::move(verdict));
  std::rethrow_exception(std::move(error));
}

void Script::wake(LightThread& thread) {
  if (thread.state != LightThread::State::waiting || ended_) return;
  thread.has_waited = true;
  make_ready(thread);
}

void Script::ended(LightThread& thread, int result) {
  thread.state = LightThread::State::ended;
  thread.proposed.reset();
  thread.ok = result == 0;
  if (!thread.ok) report(thread, result);
  if (thread.is_entry) {
    thread.reaped = true;
    if (!thread.ok) {
      Verdict failed;
      failed.kind = Verdict::failed;
      return finish(failed);
    }
  } else if (LightThread* waiter = std::exchange(thread.awaited_by, nullptr)) {
    nobody_awaits_for(*waiter);
    make_ready(*waiter);
  } else if (!thread.parent || thread.parent->state == LightThread::State::ended) {
    thread.reaped = true;
  }
  bool all = true;
  each([&](LightThread& other) { all &= other.state == LightThread::State::ended; });
  if (all) ended_ = true;
  if (thread.is_entry && thread.ok && spawned_.empty()) {
    vm.give_back(thread.coroutine, true);
    thread.coroutine = Vm::Coroutine();
  }
}

void Script::report(LightThread& thread, int result) {
  lua_State* const L = thread.coroutine.state;
  const char* whose = thread.is_entry ? "entry" : "user";
  count_error();
  log_line(x, Level::error, std::string("lua ") + whose + " thread aborted: " + kind_of(result) + ": " + error_text(L) + "\n" + traceback(L) + context_of(hook));
}

}  // namespace seawall::lua
