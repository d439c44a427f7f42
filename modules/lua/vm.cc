#include "vm.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <mutex>
#include <sstream>
#include <utility>

#include "api.h"
#include "conf.h"
#include "counts.h"
#include "tcp_socket.h"
#include "seawall/base/allocation.h"
#include "seawall/base/error.h"
#include "shims.h"
#include "timers.h"
#include "watchdog.h"

namespace seawall::lua {
namespace {

// Asked for at each step of a script: a few instructions instead of a call. A file that is loaded later has such variables in what glibc
// keeps free for that, some hundred bytes: no more than pointers are kept in it.
[[gnu::tls_model("initial-exec")]] thread_local Vm* running = nullptr;

std::int64_t clock_now() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

// C modules of Lua (cjson) look for Lua's own functions among the program's; a module's libraries are not there by themselves.
void make_lua_visible() {
  static std::once_flag once;
  std::call_once(once, [] { ::dlopen("libluajit-5.1.so.2", RTLD_NOW | RTLD_NOLOAD | RTLD_GLOBAL); });
}

// The file of this module, for ffi.load.
const char* own_file() {
  Dl_info info{};
  return ::dladdr(reinterpret_cast<void*>(&make_lua_visible), &info) ? info.dli_fname : "";
}

// The order in which the shims build on each other.
constexpr const char* kShims[] = {"base", "coroutine", "log", "encode", "time", "var", "header", "ctx", "request", "output", "control", "regex", "shared", "thread",
                                  "timer", "semaphore", "capture", "socket", "ssl", "balancer", "misc", "resty_core", "unbuilt"};

void set_path(lua_State* L, const char* field, const std::string& own) {
  lua_getglobal(L, "package");
  if (!own.empty()) {
    lua_getfield(L, -1, field);
    const char* usual = lua_tostring(L, -1);
    luaL_gsub(L, own.c_str(), ";;", ";\1;");
    luaL_gsub(L, lua_tostring(L, -1), "\1", usual ? usual : "");
    lua_setfield(L, -4, field);
    lua_pop(L, 2);
  }
  lua_pop(L, 1);
}

int add_traceback(lua_State* L) {
  if (!lua_isstring(L, 1)) return 1;
  const std::string& text = Vm::now()->scratch = error_text(L) + "\n" + traceback(L);
  lua_pushlstring(L, text.data(), text.size());
  return 1;
}

class LoadJob {
 public:
  const Chunk* chunk;
  const std::string* text;
  const char* name;
  int ref = LUA_NOREF;
  std::string* error;
};

int load_and_keep(lua_State* L) {
  auto& job = *static_cast<LoadJob*>(lua_touserdata(L, 1));
  if (luaL_loadbuffer(L, job.text->data(), job.text->size(), job.name) != 0) {
    *job.error = error_text(L);
    return 0;
  }
  job.ref = luaL_ref(L, LUA_REGISTRYINDEX);
  return 0;
}

int new_coroutine(lua_State* L) {
  auto& coroutine = *static_cast<Vm::Coroutine*>(lua_touserdata(L, 1));
  coroutine.state = lua_newthread(L);
  coroutine.ref = luaL_ref(L, LUA_REGISTRYINDEX);
  return 0;
}

}  // namespace

std::string error_text(lua_State* L) {
  switch (lua_type(L, -1)) {
    case LUA_TSTRING: {
      std::size_t size;
      const char* text = lua_tolstring(L, -1, &size);
      return std::string(text, size);
    }
    case LUA_TNUMBER: {
      char text[32];
      std::snprintf(text, sizeof text, "%.14g", lua_tonumber(L, -1));
      return text;
    }
    case LUA_TNIL: return "unknown reason";
    case LUA_TBOOLEAN: return lua_toboolean(L, -1) ? "true" : "false";
    default: return std::string("(error object is a ") + lua_typename(L, lua_type(L, -1)) + " value)";
  }
}

std::string traceback(lua_State* L, int number) {
  constexpr int kDeepest = 22;
  std::string text = "stack traceback:\ncoroutine " + std::to_string(number) + ":";
  lua_Debug frame{};
  for (int level = 0; lua_getstack(L, level, &frame); ++level) {
    if (level == kDeepest) return text += "\n\t...";
    lua_getinfo(L, "Snl", &frame);
    text.append("\n\t").append(frame.short_src).append(":");
    if (frame.currentline > 0) text.append(std::to_string(frame.currentline)).append(":");
    if (frame.namewhat && *frame.namewhat) text.append(" in function '").append(frame.name).append("'");
    else if (*frame.what == 'm') text += " in main chunk";
    else if (*frame.what == 'C' || *frame.what == 't') text += " ?";
    else text.append(" in function <").append(frame.short_src).append(":").append(std::to_string(frame.linedefined)).append(">");
  }
  return text;
}

Vm* Vm::now() { return running; }

namespace {

void raise_at_once(lua_State* L, lua_Debug*) {
  luaL_where(L, 0);
  lua_pushliteral(L, "lua_cpu_budget is used up");
  lua_concat(L, 2);
  lua_error(L);
}

}  // namespace

void Vm::interrupt() { lua_sethook(state_, raise_at_once, LUA_MASKCOUNT, 1); }

Vm::Entered::Entered(Vm& vm, Call& call) : outer_(running), vm_(vm), outer_call_(vm.call), began_(!outer_ && times_runs() ? clock_now() : 0) {
  running = &vm;
  vm.call = &call;
  if (Watched* const watched = outer_ ? nullptr : Watched::here()) watched->begin();
}
Vm::Entered::~Entered() {
  if (!outer_) count_run(began_ ? clock_now() - began_ : 0);
  if (Watched* const watched = outer_ ? nullptr : Watched::here(); watched && watched->end()) lua_sethook(vm_.state_, nullptr, 0, 0);
  vm_.call = outer_call_;
  running = outer_;
}

bool Vm::protect(lua_CFunction function, void* data) {
  Entered entered(*this, nobody_);
  if (lua_cpcall(state_, function, data) == 0) return true;
  error = error_text(state_);
  lua_settop(state_, 0);
  return false;
}

void Vm::begin_finaliser() {
  interrupted_.push_back({std::exchange(call, &nobody_), std::exchange(scratch, {})});
}

void Vm::end_finaliser() {
  call = interrupted_.back().call;
  // Its bytes where they were: who was interrupted has their address.
  std::string().swap(scratch);
  scratch.swap(interrupted_.back().scratch);
  interrupted_.pop_back();
}

void* Vm::allocate(void* self, void* block, std::size_t old_size, std::size_t new_size) {
  Vm& vm = *static_cast<Vm*>(self);
  if (new_size == 0) {
    vm.memory -= block ? old_size : 0;
    note_release(block);
    std::free(block);
    return nullptr;
  }
  const std::size_t before = block ? old_size : 0;
  const auto limit = static_cast<std::size_t>(vm.world.memory_limit);
  if (limit && new_size > before && vm.memory + new_size - before > limit) return nullptr;
  note_release(block);
  void* const memory = std::realloc(block, new_size);
  if (memory) note_allocation(memory, new_size);
  if (memory) vm.memory += new_size - before;
  return memory;
}

// Everything that may raise, once.
int Vm::set_up(lua_State* L) {
  Vm& vm = *static_cast<Vm*>(lua_touserdata(L, 1));
  luaL_openlibs(L);
  set_path(L, "path", vm.world.package_path);
  set_path(L, "cpath", vm.world.package_cpath);
  lua_newtable(L);
  vm.ctx_tables = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_pushcfunction(L, add_traceback);
  vm.add_traceback_ = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_newtable(L);  // the functions in C++
  for (const auto functions : api_tables())
    for (const luaL_Reg& row : functions) {
      lua_pushcfunction(L, row.func);
      lua_setfield(L, -2, row.name);
    }
  lua_pushstring(L, own_file());
  lua_setfield(L, -2, "file");
  lua_rawgeti(L, LUA_REGISTRYINDEX, vm.ctx_tables);
  lua_setfield(L, -2, "ctx_tables");
  lua_pushlstring(L, vm.world.prefix.data(), vm.world.prefix.size());
  lua_setfield(L, -2, "prefix");
  lua_pushlightuserdata(L, nullptr);
  lua_setfield(L, -2, "null");
  lua_pushlightuserdata(L, wait_token());
  lua_setfield(L, -2, "token");
  lua_newtable(L);
  for (const auto& [name, zone] : vm.world.dicts) {
    lua_pushlightuserdata(L, zone);
    lua_setfield(L, -2, name.c_str());
  }
  lua_setfield(L, -2, "dicts");
  if (!vm.world.jit) {
    if (luaL_dostring(L, "jit.off()")) lua_error(L);
  }
  for (const char* wanted : kShims)
    for (const Shim& shim : shims()) {
      if (shim.name != wanted) continue;
      lua_pushfstring(L, "=%s.lua", wanted);
      if (luaL_loadbuffer(L, shim.text.data(), shim.text.size(), lua_tostring(L, -1)) != 0) return lua_error(L);
      lua_remove(L, -2);
      lua_pushvalue(L, -2);
      lua_call(L, 1, 0);
    }
  return 0;
}

Vm::Vm(Loop& loop, const World& world) : loop(loop), world(world), state_(lua_newstate(&Vm::allocate, this)) {
  if (!state_) throw std::bad_alloc();
  make_lua_visible();
  pools = std::make_unique<Pools>(loop);
  timers = std::make_unique<Timers>(*this);
  if (protect(&Vm::set_up, this)) return;
  lua_close(state_);
  throw std::runtime_error("the Lua VM cannot be set up: " + error);
}

void Vm::say_who_lets_go(long owners) {
  if (logs_at(main_log(), Level::debug)) log(Level::debug, "decrementing the reference count for Lua VM: " + std::to_string(owners));
}

Vm::~Vm() {
  begin_closing();
  if (logs_at(main_log(), Level::debug)) {
    char line[64];
    std::snprintf(line, sizeof line, "lua close the global Lua VM %p", static_cast<void*>(state_));
    log(Level::debug, line);
  }
  Entered entered(*this, nobody_);
  lua_close(state_);
}

int Vm::load(const std::string& text, const Chunk& chunk, const std::string& name) {
  LoadJob job{&chunk, &text, name.c_str(), LUA_NOREF, &error};
  return protect(load_and_keep, &job) ? job.ref : LUA_NOREF;
}

int Vm::function_of(const Chunk& chunk, Exchange* x) {
  error_status = 500;
  const auto index = static_cast<std::size_t>(chunk.number);
  if (!chunk.is_file && index < inlined_.size() && inlined_[index] != LUA_NOREF) return inlined_[index];
  error.clear();
  if (!chunk.is_file) {
    const int ref = load(chunk.text, chunk, chunk.name);
    if (ref == LUA_NOREF) error = "failed to load inlined Lua code: " + error;
    if (inlined_.size() <= index) inlined_.resize(index + 1, LUA_NOREF);
    return inlined_[index] = ref;
  }
  std::string path = x ? chunk.path.eval(*x) : chunk.path.source();
  if (!path.starts_with('/')) path = chunk.prefix + path;
  if (const auto known = files_.find(path); known != files_.end()) return known->second;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    error_status = errno == ENOENT ? 404 : 503;
    error = "failed to load external Lua file \"" + path + "\": cannot open " + path + ": " + std::strerror(errno);
    return LUA_REFNIL;
  }
  std::ostringstream text;
  text << file.rdbuf();
  const int ref = load(std::move(text).str(), chunk, "@" + path);
  if (ref == LUA_NOREF) error = "failed to load external Lua file \"" + path + "\": " + error;
  else files_.emplace(path, ref);
  return ref;
}

bool Vm::run(const Chunk& chunk, Call& call, int results) {
  if (running) {
    error = "Lua cannot be run inside of Lua";  // it has asked for a variable that is a script
    return false;
  }
  Entered entered(*this, call);
  lua_settop(state_, 0);
  const int function = function_of(chunk, call.x);
  if (function == LUA_NOREF || function == LUA_REFNIL) {
    count_error();
    return false;
  }
  // Nothing here may ask for memory: an error outside of the call would end the process.
  lua_rawgeti(state_, LUA_REGISTRYINDEX, add_traceback_);
  lua_rawgeti(state_, LUA_REGISTRYINDEX, function);
  if (lua_pcall(state_, 0, results, 1) == 0) return true;
  count_error();
  error = error_text(state_);
  lua_settop(state_, 0);
  return false;
}

Vm::Coroutine Vm::make_coroutine() {
  Coroutine coroutine;
  if (!idle_.empty()) {
    coroutine = idle_.back();
    idle_.pop_back();
    return coroutine;
  }
  if (!protect(new_coroutine, &coroutine)) return Coroutine();
  light.insert(coroutine.state);
  return coroutine;
}

Vm::Coroutine Vm::start(const Chunk& chunk, Exchange* x) {
  const int function = function_of(chunk, x);
  if (function == LUA_NOREF || function == LUA_REFNIL) {
    Coroutine none;
    none.ref = function;
    return none;
  }
  Coroutine coroutine = make_coroutine();
  if (!coroutine.state) return coroutine;
  lua_rawgeti(coroutine.state, LUA_REGISTRYINDEX, function);
  return coroutine;
}

void Vm::give_back(Coroutine coroutine, bool reusable) {
  constexpr std::size_t kIdle = 1024;
  if (!coroutine.state) return;
  if (reusable && idle_.size() < kIdle) {
    lua_settop(coroutine.state, 0);
    idle_.push_back(coroutine);
  } else {
    light.erase(coroutine.state);
    // Its results would pass for a function and arguments that a resume has to call.
    if (lua_status(coroutine.state) == 0) lua_settop(coroutine.state, 0);
    luaL_unref(state_, LUA_REGISTRYINDEX, coroutine.ref);
  }
}

int Vm::take_ctx() {
  if (free_ctx_.empty()) return next_ctx_++;
  const int number = free_ctx_.back();
  free_ctx_.pop_back();
  return number;
}

void Vm::drop_ctx(int number) {
  lua_rawgeti(state_, LUA_REGISTRYINDEX, ctx_tables);
  lua_rawgeti(state_, -1, number);
  const bool is_there = !lua_isnil(state_, -1);  // a slot that was never filled would have to be made
  lua_pop(state_, 1);
  if (is_there) {
    lua_pushnil(state_);
    lua_rawseti(state_, -2, number);
  }
  lua_pop(state_, 1);
  free_ctx_.push_back(number);
}

}  // namespace seawall::lua
