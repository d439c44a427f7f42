// ngx.log, print, ngx.arg and small things. One loop.
#include <cstring>

#include "api.h"
#include "filters.h"
#include "lua.h"
#include "seawall/log/log.h"
#include "seawall/server/exchange.h"
#include "set.h"

namespace seawall::lua {
namespace {

bool logs_at_level(Level level) {
  Exchange* const x = Vm::now()->call->x;
  return x ? x->logs_at(level) : logs_at(main_log(), level);
}
void write_line(Level level, const std::string& text) {
  Exchange* const x = Vm::now()->call->x;
  const char* const context = context_of(Vm::now()->call->hook);
  if (x) x->log(level, text + context);
  else seawall::log(level, text + context);
}

// "nginx.conf:40):2: name(): ", of who has called.
void append_place(lua_State* L, std::string& out) {
  lua_Debug frame{};
  if (!lua_getstack(L, 1, &frame)) return;
  lua_getinfo(L, "Snl", &frame);
  const char* name = frame.short_src;
  if (const char* slash = std::strrchr(name, '/')) name = slash + 1;
  out.append(name).append(":").append(std::to_string(frame.currentline > 0 ? frame.currentline : frame.linedefined)).append(": ");
  if (frame.namewhat && *frame.namewhat && *frame.what == 'L') out.append(frame.name).append("(): ");
}

int log_values(lua_State* L, Level level, int from) {
  if (!logs_at_level(level)) return 0;
  std::string& text = Vm::now()->error;
  text = "[lua] ";
  append_place(L, text);
  const int count = lua_gettop(L);
  for (int i = from; i <= count; ++i) {
    switch (lua_type(L, i)) {
      case LUA_TTABLE:
        if (!luaL_callmeta(L, i, "__tostring")) return luaL_argerror(L, i, "expected table to have __tostring metamethod");
        text += text_at(L, -1);
        lua_pop(L, 1);
        break;
      case LUA_TNUMBER: case LUA_TSTRING: case LUA_TNIL: case LUA_TBOOLEAN: append_value(L, i, text, "log"); break;
      case LUA_TLIGHTUSERDATA:
        if (!lua_touserdata(L, i)) text += "null";
        break;
      default:
        lua_pushfstring(L, "string, number, boolean, or nil expected, got %s", lua_typename(L, lua_type(L, i)));
        return luaL_argerror(L, i, lua_tostring(L, -1));
    }
  }
  write_line(level, text);
  return 0;
}

Level level_of(lua_State* L, int index) {
  const auto level = static_cast<int>(luaL_checkinteger(L, index));
  if (level < 0 || level > 8) {
    lua_pushfstring(L, "bad log level: %d", level);
    luaL_argerror(L, index, lua_tostring(L, -1));
  }
  return static_cast<Level>(level > 0 ? level - 1 : 0);
}

int log(lua_State* L) { return log_values(L, level_of(L, 1), 2); }
int print_line(lua_State* L) { return log_values(L, Level::notice, 1); }

// raw_log(level, text): as it is
int raw_log(lua_State* L) {
  const Level level = level_of(L, 1);
  if (logs_at_level(level)) write_line(level, std::string(text_at(L, 2)));
  return 0;
}

// log_debug(text): a line that only debug logs have
int log_debug(lua_State* L) {
  if (logs_at_level(Level::debug)) write_line(Level::debug, std::string(text_at(L, 1)));
  return 0;
}

// arg_get(index), of set_by_lua and body_filter_by_lua
int arg_get(lua_State* L) {
  Call& call = check_call(L, bit(Hook::set) | bit(Hook::body_filter), 2);
  const auto index = static_cast<std::size_t>(luaL_checkinteger(L, 1));
  if (call.hook == Hook::set) {
    const auto& values = static_cast<SetArguments*>(call.more)->values;
    if (index < 1 || index > values.size()) return 0;
    push(L, values[index - 1]);
    return 1;
  }
  auto& piece = *static_cast<FilteredPiece*>(call.more);
  if (index == 1) push(L, piece.is_changed ? std::string_view(piece.changed) : piece.data);
  else if (index == 2) lua_pushboolean(L, piece.last);
  else return 0;
  return 1;
}

// arg_set(index, value), of body_filter_by_lua
int arg_set(lua_State* L) {
  Call& call = check_call(L, bit(Hook::body_filter), 2);
  auto& piece = *static_cast<FilteredPiece*>(call.more);
  const auto index = luaL_checkinteger(L, 1);
  if (index == 2) {
    piece.last = lua_toboolean(L, 2);
    return 0;
  }
  if (index != 1) return raise(L, 2, "bad argument #%d to 'arg' (invalid index)", static_cast<int>(index));
  std::string& text = Vm::now()->error;
  text.clear();
  if (!lua_isnil(L, 2)) append_value(L, 2, text, "arg");
  piece.changed = text;
  piece.is_changed = true;
  return 0;
}

// guard(): whether a write of a global is worth a warning by now
int guards_globals(lua_State* L) {
  lua_pushboolean(L, Vm::now()->writes_guarded);
  return 1;
}

int get_traceback(lua_State* L) {
  std::string& text = Vm::now()->scratch = traceback(L);
  push(L, text);
  return 1;
}

int loops(lua_State* L) {
  lua_pushinteger(L, loop_count());
  return 1;
}

constexpr luaL_Reg kMisc[] = {{"loops", loops}, {"log", log}, {"print_line", print_line}, {"raw_log", raw_log}, {"log_debug", log_debug}, {"arg_get", arg_get},
                              {"arg_set", arg_set}, {"guards_globals", guards_globals}, {"traceback", get_traceback}};

}  // namespace

std::span<const luaL_Reg> misc_api() { return kMisc; }

}  // namespace seawall::lua
