// What the API's functions in C++ share. Two kinds: plain ones, and those that may wait, which the shims wrap: their position in an
// error message is that of the wrapper's caller. They raise with nothing on their C++ frame that has to be destroyed but what
// unwinding destroys; results of some length go through Vm::scratch.
#pragma once
#include <lua.hpp>

#include <memory>
#include <span>
#include <string_view>

#include "script.h"
#include "seawall/base/export.h"
#include "seawall/log/log.h"
#include "seawall/server/exchange.h"
#include "vm.h"

namespace seawall::lua {

// The functions of all subjects.
std::span<const std::span<const luaL_Reg>> api_tables();
std::span<const luaL_Reg> base_api();
std::span<const luaL_Reg> output_api();
std::span<const luaL_Reg> control_api();
std::span<const luaL_Reg> request_api();
std::span<const luaL_Reg> thread_api();
std::span<const luaL_Reg> timer_api();
std::span<const luaL_Reg> capture_api();
std::span<const luaL_Reg> semaphore_api();
std::span<const luaL_Reg> tcp_api();
std::span<const luaL_Reg> tcp_read_api();
std::span<const luaL_Reg> tcp_tls_api();
std::span<const luaL_Reg> udp_api();
std::span<const luaL_Reg> ssl_api();
std::span<const luaL_Reg> handshake_api();
std::span<const luaL_Reg> balancer_api();
std::span<const luaL_Reg> misc_api();

// A line for who looks for a script's mistakes; `x` null: nobody's request. Its text is made only where it is written.
template <class MakeText>
void log_debug(Exchange* x, MakeText make) {
  if (x ? x->logs_at(Level::debug) : logs_at(main_log(), Level::debug)) x ? x->log(Level::debug, make()) : log(Level::debug, make());
}

// What a light thread yields when it waits.
void* wait_token();

// The call that is under way; raises where `allowed` has not its hook.
Call& check_call(lua_State* L, Hooks allowed, int level = 1);
// The same for what is about a request: of none it says only that.
Call& check_request(lua_State* L, Hooks allowed, int level = 1);
// An error at the caller's position; `level` 2: of who called the shim.
int raise(lua_State* L, int level, const char* format, ...) __attribute__((format(printf, 3, 4)));
int raise_argument(lua_State* L, int level, int argument, const char* function, const char* why);

// The last line of a function that waits.
int wait_for(lua_State* L, std::unique_ptr<Await> await);
// Yields without one: the script has ended.
int stop_here(lua_State* L);
// Of numbers that a script has given, whatever they are: no cast of too large a one, of NaN or of less than none.
std::int64_t nanoseconds(double seconds);   // thirty years at most
std::int64_t milliseconds(double seconds);
int whole_number(double number);
std::size_t whole_size(double number);

template <class T>
int collect_object(lua_State* L) {
  std::destroy_at(static_cast<T*>(lua_touserdata(L, 1)));
  return 0;
}
// Pushes a userdata that holds the value until the collector takes it. Its metatable is nobody's: __gc is not called by hand.
template <class T>
T& push_object(lua_State* L, const char* type, T value) {
  if (luaL_newmetatable(L, type)) {
    lua_pushcfunction(L, collect_object<T>);
    lua_setfield(L, -2, "__gc");
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable");
  }
  T& object = *std::construct_at(static_cast<T*>(lua_newuserdata(L, sizeof(T))), std::move(value));
  lua_insert(L, -2);
  lua_setmetatable(L, -2);
  return object;
}

inline std::string_view text_at(lua_State* L, int index) {
  std::size_t size;
  const char* text = lua_tolstring(L, index, &size);
  return text ? std::string_view(text, size) : std::string_view();
}
inline void push(lua_State* L, std::string_view text) { lua_pushlstring(L, text.data(), text.size()); }
// nil, "why"
inline int push_error(lua_State* L, std::string_view why) {
  lua_pushnil(L);
  push(L, why);
  return 2;
}

// The text of an output value (string, number, nil, boolean, ngx.null, nested tables), appended to `out`. Raises for others;
// `strict` is what log lines take.
void append_value(lua_State* L, int index, std::string& out, const char* function);
// The same for what goes over a socket: in tables strings and numbers only.
void append_sent(lua_State* L, int index, std::string& out);

}  // namespace seawall::lua
