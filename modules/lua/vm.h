// Vm: one Lua state with the API in it. Each loop has one; so has a request under lua_code_cache off. One loop.
//
// Lua is called under lua_pcall or lua_resume only, from plain functions: an error of Lua's unwinds the C++ frames between them,
// which a coroutine's frame would not survive.
#pragma once
#include <lua.hpp>

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "chunk.h"
#include "hook.h"

namespace seawall {
class Exchange;
class Response;
class Loop;
class Settings;
class Variable;
}

namespace seawall::lua {

class World;
class Script;
class Pools;
class Timers;

// For whom Lua runs at this moment.
class Call {
 public:
  Call(Hook hook, Exchange* x) : hook(hook), x(x) {}
  Hook hook;
  Exchange* x;                   // null: nobody's request (init, a timer)
  Script* script = nullptr;      // where waiting is possible
  Response* response = nullptr;  // header_filter: the head that will be sent
  const Settings* settings = nullptr;  // of the block that it runs in
  void* more = nullptr;          // of the hook: what body_filter, set and balancer work on
};

// A variable that was looked up by its name.
class KnownVariable {
 public:
  std::string key;                     // in lower case
  const Variable* variable = nullptr;  // null: there is none
  std::string_view rest;               // of the key, behind a prefix
};

class Vm : public std::enable_shared_from_this<Vm> {
 public:
  Vm(Loop& loop, const World& world);
  ~Vm();
  Vm(const Vm&) = delete;

  // This thread's, that runs now; null: none does.
  static Vm* now();

  lua_State* state() const { return state_; }
  Loop& loop;
  const World& world;
  Call* call = nullptr;          // while Lua runs
  std::string scratch;           // what an FFI function has given back last
  std::string error;             // why run() or load() failed
  int error_status = 500;        // ... and what a request is answered with

  // Runs a chunk to its end on the main state, for hooks that never wait. `results` values stay on the state's stack (settle()
  // drops them). False: `error` says why, with the traceback.
  bool run(const Chunk& chunk, Call& call, int results = 0);
  // What the chunk has returned, dropped again.
  void settle() { lua_settop(state_, 0); }

  // A coroutine with the chunk's function on its stack; its place in the registry. Null: `error`.
  class Coroutine {
   public:
    lua_State* state = nullptr;
    int ref = LUA_NOREF;
  };
  Coroutine start(const Chunk& chunk, Exchange* x);
  Coroutine make_coroutine();
  // One that has ended in order may be used again.
  void give_back(Coroutine coroutine, bool reusable);

  // Runs a function of Lua's that may raise, outside of scripts. The collector may run a script's finaliser meanwhile: for nobody.
  // False: `error` says why.
  bool protect(lua_CFunction function, void* data);
  // A finaliser of a script's begins, amid whatever Lua does at this moment: it is nobody's, and what was there stays as it is.
  void begin_finaliser();
  void end_finaliser();
  // The loop or the request has ended: what the last finalisers ask for comes too late.
  bool is_closing() const { return is_closing_; }
  void begin_closing() { is_closing_ = true; }

  // For the log: one of so many who keep this VM of a request's own does not any more.
  static void say_who_lets_go(long owners);

  // The script that runs raises an error at its next instruction, and at each behind it until the run has ended. From a handler of signals.
  void interrupt();

  // Entered for as long as it lives.
  class Entered {
   public:
    Entered(Vm& vm, Call& call);
    ~Entered();

   private:
    Vm* const outer_;
    Vm& vm_;
    Call* const outer_call_;
    const std::int64_t began_;  // ns; 0: nobody wants to know
  };

  // ngx.ctx tables, by number.
  int take_ctx();
  void drop_ctx(int number);

  std::unique_ptr<Pools> pools;    // kept connections
  std::unique_ptr<Timers> timers;
  std::size_t memory = 0;          // bytes in use
  int ctx_tables = LUA_NOREF;      // the registry's table of them
  bool writes_guarded = false;
  std::deque<KnownVariable> variables;  // that scripts have asked for (ffi_var.cc)
  std::unordered_set<lua_State*> light;  // the coroutines of scripts

 private:
  class Interrupted {
   public:
    Call* call;
    std::string scratch;
  };
  static void* allocate(void* vm, void* block, std::size_t old_size, std::size_t new_size);
  static int set_up(lua_State* L);
  int function_of(const Chunk& chunk, Exchange* x);
  int load(const std::string& key, const Chunk& chunk, const std::string& path);
  lua_State* state_;
  int add_traceback_ = LUA_NOREF;               // the registry's handler of errors
  std::vector<int> inlined_;                    // by the chunk's number: the registry's function
  std::unordered_map<std::string, int> files_;  // by path
  std::vector<Coroutine> idle_;
  std::vector<int> free_ctx_;
  int next_ctx_ = 1;
  Call nobody_{Hook::init, nullptr};
  std::vector<Interrupted> interrupted_;  // by finalisers
  bool is_closing_ = false;
};

// A light traceback of one coroutine, as OpenResty's log lines have it. Never raises.
std::string traceback(lua_State* L, int number = 0);
// What is at the top of the stack as text, without a change to it.
std::string error_text(lua_State* L);

}  // namespace seawall::lua
