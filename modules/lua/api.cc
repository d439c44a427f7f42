#include "api.h"

#include <climits>
#include <cstdarg>

namespace seawall::lua {
namespace {

char token;

// finish(...): what the shim of a function that waits ends with. Values: it has not waited. None: what the Await says.
int finish(lua_State* L) {
  if (const int values = lua_gettop(L)) return values;
  Vm& vm = *Vm::now();
  if (!vm.call->script) return 0;
  const std::unique_ptr<Await> await = std::move(vm.call->script->current().await);  // once
  return await ? await->push(L) : 0;
}

constexpr luaL_Reg kBase[] = {{"finish", finish}};

}  // namespace

std::span<const luaL_Reg> base_api() { return kBase; }

std::span<const std::span<const luaL_Reg>> api_tables() {
  static const std::span<const luaL_Reg> all[] = {base_api(), output_api(), control_api(), request_api(), thread_api(), timer_api(),
                                                  capture_api(), semaphore_api(), tcp_api(), tcp_read_api(), tcp_tls_api(), udp_api(),
                                                  ssl_api(), handshake_api(), balancer_api(), misc_api()};
  return all;
}

void* wait_token() { return &token; }

int raise(lua_State* L, int level, const char* format, ...) {
  luaL_where(L, level);
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  lua_pushstring(L, text);
  lua_concat(L, 2);
  return lua_error(L);
}

int raise_argument(lua_State* L, int level, int argument, const char* function, const char* why) {
  return raise(L, level, "bad argument #%d to '%s' (%s)", argument, function, why);
}

Call& check_call(lua_State* L, Hooks allowed, int level) {
  Vm* const vm = Vm::now();
  if (!vm || !vm->call) {
    raise(L, level, "no request found");
    std::abort();
  }
  if (!(allowed & bit(vm->call->hook))) raise(L, level, "API disabled in the context of %s", name_of(vm->call->hook));
  return *vm->call;
}

int wait_for(lua_State* L, std::unique_ptr<Await> await) {
  LightThread& thread = Vm::now()->call->script->current();
  thread.proposed = std::move(await);
  lua_pushlightuserdata(L, wait_token());
  return lua_yield(L, 1);
}

Call& check_request(lua_State* L, Hooks allowed, int level) {
  if (Vm::now() && Vm::now()->call && !Vm::now()->call->x) raise(L, level, "API disabled in the current context");
  return check_call(L, allowed, level);
}

std::int64_t nanoseconds(double seconds) {
  constexpr double kMost = 1e9;  // what is longer is for ever, and fits beside the clock
  if (!(seconds > 0)) return 0;
  return static_cast<std::int64_t>((seconds < kMost ? seconds : kMost) * 1e9);
}

std::int64_t milliseconds(double seconds) { return nanoseconds(seconds) / 1'000'000; }

int whole_number(double number) {
  if (!(number > INT_MIN)) return number <= INT_MIN ? INT_MIN : 0;
  return number < INT_MAX ? static_cast<int>(number) : INT_MAX;
}

std::size_t whole_size(double number) {
  constexpr double kMost = 9e15;
  if (!(number > 0)) return 0;
  return static_cast<std::size_t>(number < kMost ? number : kMost);
}

int stop_here(lua_State* L) {
  Vm::now()->call->script->current().proposed.reset();
  lua_pushlightuserdata(L, wait_token());
  return lua_yield(L, 1);
}

namespace {

constexpr int kDeepestTable = 100;
constexpr double kLongestTable = 10e6;

// The largest key of an array, which may have holes. Raises for other tables, at `level`.
int length_of(lua_State* L, int index, const char* function, int depth, int level) {
  if (depth > kDeepestTable) raise(L, level, "table is nested too deeply");
  luaL_checkstack(L, 4, "table is nested too deeply");
  double most = 0;
  lua_pushnil(L);
  while (lua_next(L, index)) {
    lua_pop(L, 1);
    const double key = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : 0;
    if (!(key >= 1)) raise_argument(L, level, 1, function, "non-array table found");
    if (key > kLongestTable) raise_argument(L, level, 1, function, "table has too large an index");
    if (key > most) most = key;
  }
  return static_cast<int>(most);
}

void append_table(lua_State* L, int index, std::string& out, const char* function, int depth) {
  const int count = length_of(L, index, function, depth, 1);
  for (int i = 1; i <= count; ++i) {
    lua_rawgeti(L, index, i);
    const int at = lua_gettop(L);
    if (lua_istable(L, at)) append_table(L, at, out, function, depth + 1);
    else append_value(L, at, out, function);
    lua_pop(L, 1);
  }
}

void check_sent(lua_State* L, int index, int depth) {
  const int count = length_of(L, index, "send", depth, 3);
  for (int i = 1; i <= count; ++i) {
    lua_rawgeti(L, index, i);
    const int type = lua_type(L, -1);
    if (type == LUA_TTABLE) {
      check_sent(L, lua_gettop(L), depth + 1);
    } else if (type != LUA_TSTRING && type != LUA_TNUMBER) {
      lua_pushfstring(L, "bad data type %s found", type == LUA_TLIGHTUSERDATA ? "userdata" : lua_typename(L, type));
      raise_argument(L, 3, 1, "send", lua_tostring(L, -1));
    }
    lua_pop(L, 1);
  }
}

}  // namespace

void append_sent(lua_State* L, int index, std::string& out) {
  if (!lua_istable(L, index)) return append_value(L, index, out, "send");
  check_sent(L, index, 0);
  append_table(L, index, out, "send", 0);
}

void append_value(lua_State* L, int index, std::string& out, const char* function) {
  switch (lua_type(L, index)) {
    case LUA_TNUMBER:
    case LUA_TSTRING: out += text_at(L, index); return;
    case LUA_TNIL: out += "nil"; return;
    case LUA_TBOOLEAN: out += lua_toboolean(L, index) ? "true" : "false"; return;
    case LUA_TTABLE: append_table(L, index, out, function, 0); return;
    case LUA_TLIGHTUSERDATA:
      if (!lua_touserdata(L, index)) {
        out += "null";
        return;
      }
      [[fallthrough]];
    default: break;
  }
  lua_pushfstring(L, "string, number, boolean, nil, ngx.null, or array table expected, but got %s", lua_typename(L, lua_type(L, index)));
  raise_argument(L, 1, index, function, lua_tostring(L, -1));
}

}  // namespace seawall::lua
