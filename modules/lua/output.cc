// ngx.say, print, flush, eof, send_headers: what a handler says. One loop.
#include "api.h"
#include "lua.h"
#include "seawall/server/exchange.h"

namespace seawall::lua {
namespace {

// Null: nothing is sent any more, and why is on the stack.
Script* speaker(lua_State* L, int level) {
  Call& call = check_call(L, kHandlers, level);
  Script* const script = call.script;
  const char* why = nullptr;
  if (call.x->state<Lua>().raw_socket) why = "raw request socket acquired";
  else if (call.x->request.method == Method::head && !call.x->parent && script->begun) why = "header only";
  else if (script->eof) why = "seen eof";
  if (!why) return script;
  push_error(L, why);
  return nullptr;
}

// A value that cannot be said raises: nothing of the call is said then.
class Saying {
 public:
  explicit Saying(std::string& out) : out_(out), before_(out.size()) {}
  Saying(const Saying&) = delete;
  ~Saying() {
    if (!done) out_.resize(before_);
  }
  bool done = false;

 private:
  std::string& out_;
  const std::size_t before_;
};

int say_values(lua_State* L, const char* function, bool newline) {
  Script* const script = speaker(L, 1);
  if (!script) return 2;
  Saying saying(script->out);
  const int count = lua_gettop(L);
  for (int i = 1; i <= count; ++i) {
    const int type = lua_type(L, i);
    if (type == LUA_TSTRING) {
      script->out += text_at(L, i);
      continue;
    }
    append_value(L, i, script->out, function);
  }
  if (newline) script->out += '\n';
  saying.done = true;
  script->begun = true;
  lua_pushinteger(L, 1);
  return 1;
}

int say(lua_State* L) { return say_values(L, "say", true); }
int print(lua_State* L) { return say_values(L, "print", false); }

class FlushAwait final : public Await {
 public:
  bool begin(LightThread& thread) override {
    thread.script.flushers.push_back(&thread);
    return false;
  }
  Task<void> run() override { co_return; }
  int push(lua_State* L) override {
    lua_pushinteger(L, 1);
    return 1;
  }
};

int flush(lua_State* L) {
  const bool waits = lua_toboolean(L, 1);
  Script* const script = speaker(L, 2);
  if (!script) return 2;
  if (!script->begun) {
    lua_settop(L, 0);
    return push_error(L, "nothing to flush");
  }
  if (script->buffers_all) return push_error(L, "buffering");
  script->flush = true;
  if (!waits) {
    lua_pushinteger(L, 1);
    return 1;
  }
  return wait_for(L, std::make_unique<FlushAwait>());
}

int send_headers(lua_State* L) {
  Script* const script = speaker(L, 1);
  if (!script) return 2;
  script->begun = true;
  if (!script->buffers_all) script->flush = true;
  lua_pushinteger(L, 1);
  return 1;
}

int eof(lua_State* L) {
  Script* const script = speaker(L, 1);
  if (!script) return 2;
  script->begun = script->eof = true;
  lua_pushinteger(L, 1);
  return 1;
}

constexpr luaL_Reg kOutput[] = {{"say", say}, {"print", print}, {"flush", flush}, {"send_headers", send_headers}, {"eof", eof}};

}  // namespace

std::span<const luaL_Reg> output_api() { return kOutput; }

}  // namespace seawall::lua
