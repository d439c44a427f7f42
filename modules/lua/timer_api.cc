// ngx.timer in C++. One loop.
#include "api.h"
#include "timers.h"

namespace seawall::lua {
namespace {

int add(lua_State* L, bool repeats) {
  const int count = lua_gettop(L);
  if (count < 2) return raise(L, 1, "expecting at least 2 arguments but got %d", count);
  const double delay = luaL_checknumber(L, 1);
  if (!(delay >= 0) || (repeats && delay == 0)) return luaL_argerror(L, 1, repeats ? "delay cannot be 0" : "invalid delay");
  if (!lua_isfunction(L, 2) || lua_iscfunction(L, 2)) return luaL_argerror(L, 2, "Lua function expected");
  Vm& vm = *Vm::now();
  if (const char* why = vm.timers->add(L, count - 2, delay, repeats)) return push_error(L, why);
  lua_pushinteger(L, 1);
  return 1;
}

int at(lua_State* L) { return add(L, false); }
int every(lua_State* L) { return add(L, true); }
int pending(lua_State* L) {
  lua_pushinteger(L, Vm::now()->timers->pending());
  return 1;
}
int running(lua_State* L) {
  lua_pushinteger(L, Vm::now()->timers->running());
  return 1;
}

constexpr luaL_Reg kTimer[] = {{"timer_at", at}, {"timer_every", every}, {"timer_pending", pending}, {"timer_running", running}};

}  // namespace

std::span<const luaL_Reg> timer_api() { return kTimer; }

}  // namespace seawall::lua
