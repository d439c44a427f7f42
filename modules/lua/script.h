// Script: a handler's run in Lua, from its entry thread to the last of its light threads (ngx.thread). What it says gathers in
// `out`; whoever runs it takes that when it stops:
//
//   Script script(vm, Hook::content, &x);
//   script.begin(chunk);
//   for (;;) { Stop stop = co_await script.run(); send(script.take()); if (stop != Stop::output) break; }
//   co_await script.end();
//
// A function of the API that waits proposes an Await and yields. Only when the light thread has really stopped with that does it count
// (a yield may raise: across a callback of C's); then it begins, mostly as a task below the script's scope, and when it has ended the
// light thread goes on with what it pushes. One loop.
#pragma once
#include <exception>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "script_socket.h"
#include "seawall/async/event.h"
#include "seawall/async/scope.h"
#include "seawall/base/list.h"
#include "seawall/base/pool.h"
#include "vm.h"

namespace seawall::lua {

class LightThread;
class Script;

// What a light thread waits for.
class Await {
 public:
  virtual ~Await() = default;
  // The light thread has stopped. False: no task runs, somebody else makes it ready.
  virtual bool begin(LightThread&) { return true; }
  // In a scope of its own, which is cancelled when nobody waits any more. The Await outlives it.
  virtual Task<void> run() = 0;
  // Nobody waits any more: gives up at once what others may want. A task, if there is one, ends in a later turn.
  virtual void give_up() {}
  // The results, under Lua: may raise.
  virtual int push(lua_State* L) = 0;
};

class LightThread : public ListNode {
 public:
  LightThread(Script& script, Vm::Coroutine coroutine, LightThread* parent, bool is_entry);
  enum class State : std::uint8_t { ready, waiting, ended };
  Script& script;
  Vm::Coroutine coroutine;
  LightThread* parent;           // who has spawned it; null: the entry thread, or its parent is gone
  const bool is_entry;
  State state = State::ready;
  bool ok = false;               // how it has ended; its results or its error are on its stack
  bool reaped = false;           // waited for, or killed
  bool at_work = false;          // the task of its Await has not ended
  bool has_waited = false;       // ... or what it waited for has come, and it is ready for that
  int arguments = 0;             // on its stack, for the next resume
  std::unique_ptr<Await> proposed;  // by a function that is about to yield
  std::unique_ptr<Await> await;     // ... and has
  Scope* scope = nullptr;        // of the Await's task, while that is at work
  LightThread* awaited_by = nullptr;
};

enum class Stop : std::uint8_t { finished, output, cancelled };

// One that a script may give.
inline bool is_status(int status) { return status == 101 || (status >= 200 && status < 1000); }

// How a script has answered.
class Verdict {
 public:
  static constexpr int kDeclined = -5;  // ngx.exit(ngx.DECLINED): no opinion, the request goes on
  enum Kind : std::uint8_t { none, exit, exec, redirect, relocate, failed };
  Kind kind = none;
  int status = 0;                // exit, redirect
  std::string to, args;          // exec: URI and arguments; redirect: the Location
  bool has_args = false;
};

class Script : public Pooled {
 public:
  // `background`: the scope in which its waits live.
  Script(Vm& vm, Hook hook, Exchange* x, Scope* background);
  ~Script();
  Script(const Script&) = delete;

  // False: the chunk cannot be had; it has been logged, and `status` is the answer.
  bool begin(const Chunk& chunk);
  // The same with a function and its arguments that a caller has moved onto a coroutine's stack.
  void begin(Vm::Coroutine coroutine, int arguments);

  // As far as it goes without waiting: it has ended or wants to send; nothing: it has to wait.
  std::optional<Stop> advance();
  // Waits for that, and goes on as advance() does. When the awaiter's scope is cancelled, or `until` has come, it has given up.
  class Pause;
  Pause wait();
  // Both, until it has ended, wants to send, or has given up.
  Task<Stop> run();
  // Goes on without anybody who listens, to its end.
  Task<void> run_out();
  // The client has left: what ngx.on_abort() was given runs next, as a light thread. False: there is no such thing.
  bool tell_of_abort();
  // Ends what still waits.
  Task<void> end();
  bool ended() const { return ended_; }
  bool has_waited() const { return has_waited_; }
  // Nothing runs any more on its behalf.
  bool at_rest() { return !scope_ || scope_->all_ended(); }
  void cancel();

  // For the API, while a light thread runs.
  LightThread& current() { return *current_; }
  LightThread* find(lua_State* L);
  // Takes a function and its arguments, which are at the top of `from`'s stack. May raise.
  LightThread& spawn(lua_State* from, int arguments);
  // What the light thread waits for has come.
  void wake(LightThread& thread);
  // Ready again: behind the thread that it has just spawned and those that have given way, before those whose wait is over (as in
  // OpenResty, where these are woken in a later turn of the loop).
  void let_spawned_run(LightThread& thread);
  void kill(LightThread& thread);
  void finish(Verdict verdict);
  // The same, from a task while no light thread runs.
  void finish_from_outside(Verdict verdict) {
    finish(std::move(verdict));
    woken_.set();
  }
  void make_ready(LightThread& thread);
  // The script's own from now on, and closed with it.
  void remember(const std::shared_ptr<ScriptSocket>& socket);
  // What waits until what was said is on its way.
  void wake_flushers();

  Vm& vm;
  const Hook hook;
  Exchange* const x;
  const Settings* settings;   // of the block that it runs in
  std::string out;
  bool begun = false;         // the head is settled
  bool flush = false;         // asked for
  bool eof = false;
  bool buffers_all = false;   // HTTP/1.0: nothing is sent before the end
  bool wants_connection = false;  // ngx.req.socket(true): one of its threads waits for it among the flushers
  int status = 0;             // of begin()'s failure
  int subrequests = 0;        // under way
  std::optional<Deadline> until;  // none: its request's own
  Verdict verdict;
  std::vector<LightThread*> flushers;
  Vm::Coroutine on_abort;     // with the function of ngx.on_abort() on its stack; none

 private:
  Deadline begin_wait();
  std::optional<Stop> end_wait(Errc waited);
  void resume(LightThread& thread);
  void ended(LightThread& thread, int result);
  void report(LightThread& thread, int result);
  Task<void> await(LightThread& thread);
  [[noreturn]] void fail(std::exception_ptr error);
  void forget(LightThread& thread);
  void nobody_awaits_for(const LightThread& thread);
  template <class Do>
  void each(Do&& act) {
    if (entry_) act(*entry_);
    for (LightThread& thread : spawned_) act(thread);
  }
  void reap_ended();
  void abandon_sockets();
  bool wants_to_send() const { return wants_connection || (begun && !buffers_all && (!out.empty() || flush || eof)); }

  std::vector<std::weak_ptr<ScriptSocket>> sockets_;
  std::size_t sockets_checked_at_ = 16;
  Scope* const background_;
  std::optional<Scope> scope_;  // of its waits, in the background, once there is one that is a task
  List<LightThread> ready_;
  std::optional<LightThread> entry_;
  std::list<LightThread, PoolAllocator<LightThread>> spawned_;
  Event woken_;
  LightThread* current_ = nullptr;
  bool ended_ = false;
  bool has_waited_ = false;
};

class Script::Pause {
 public:
  explicit Pause(Script& script) : script_(script), woken_(script.woken_.wait(script.begin_wait())) {}
  bool await_ready() const { return woken_.await_ready(); }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> awaiter) { return woken_.await_suspend(awaiter); }
  std::optional<Stop> await_resume() { return script_.end_wait(woken_.await_resume()); }

 private:
  Script& script_;
  decltype(std::declval<Event&>().wait(std::declval<Deadline>())) woken_;
};
inline Script::Pause Script::wait() { return Pause(*this); }

}  // namespace seawall::lua
