// ngx.exit, exec, redirect, on_abort: how a handler ends. One loop.
#include "api.h"
#include "balancer.h"
#include "lua.h"
#include "seawall/server/exchange.h"

namespace seawall::lua {
namespace {

// ngx.exit() of these closes the connection: nobody waits for what the subrequests under way would say.
bool takes_all_along(const Verdict& verdict) {
  const int status = verdict.status;
  return verdict.kind == Verdict::exit && (status == -1 || status == 408 || status == 444 || status == 499);
}

// The script goes no further.
int finish(lua_State* L, Script& script, Verdict verdict) {
  if (script.subrequests > 0 && !takes_all_along(verdict)) return raise(L, 2, "attempt to abort with pending subrequests");
  script.finish(std::move(verdict));
  return stop_here(L);
}

// Once the script has ended: a response that goes may take another script with it.
int exit_header_filter(Call& call, int status) {
  if (status >= 200 || status < 0) *static_cast<int*>(call.more) = status < 0 ? 500 : status;
  return 0;
}

// The head is out: the status cannot change, but these mean that nothing more may be sent.
int exit_behind_head(Exchange& x, int status) {
  if (status == 408 || status == 444 || status == 499) return -1;
  const RequestState& state = x.state<Lua>();
  const int sent = state.status_to_send();
  if (status != sent)
    x.log(Level::error, "attempt to set status " + std::to_string(status) + " via ngx.exit after sending out the response status " +
                            std::to_string(sent));
  return 0;
}

// exit(status)
int exit(lua_State* L) {
  if (lua_gettop(L) != 1) return raise(L, 2, "attempt to pass %d arguments, but accepted 1", lua_gettop(L));
  if (!lua_isnumber(L, 1)) return raise_argument(L, 2, 1, "exit", "number expected, got non-number");
  const double number = lua_tonumber(L, 1);
  if (!(number < 1000) || (number > 0 && !is_status(static_cast<int>(number)))) return raise(L, 2, "invalid status %.14g", number);
  if (number == -2 || number == -4) return raise(L, 2, "bad argument to 'ngx.exit': does not accept NGX_AGAIN or NGX_DONE");
  const auto status = number == Verdict::kDeclined ? Verdict::kDeclined : number < -1 ? -1 : static_cast<int>(number);
  Call& call = check_call(L, kWaiting | bit(Hook::header_filter) | bit(Hook::balancer), 2);
  log_debug(call.x, [&] { return "lua exit with code " + std::to_string(status); });
  if (call.hook == Hook::header_filter) return exit_header_filter(call, status);
  if (call.hook == Hook::balancer) {
    exit_balancer(call.more, status);
    return 0;
  }
  if (!call.script) return 0;
  Script& script = *call.script;
  Verdict verdict;
  verdict.kind = Verdict::exit;
  verdict.status = status;
  if (script.begun && status >= 300) verdict.status = exit_behind_head(*call.x, status);
  return finish(L, script, std::move(verdict));
}

// The head is settled, or what the client gets is the script's own.
bool has_answered(const Call& call) { return call.script->begun || call.x->state<Lua>().raw_socket; }

// exec(uri, args): the arguments as text, or nil
int exec(lua_State* L) {
  Call& call = check_call(L, kHandlers, 2);
  std::string_view uri = text_at(L, 1);
  if (uri.empty()) return raise(L, 2, "The uri argument is empty");
  if (has_answered(call)) return raise(L, 2, "attempt to call ngx.exec after sending out response headers");
  Verdict verdict;
  verdict.kind = Verdict::exec;
  std::string_view args = text_at(L, 2);
  const auto query = uri.find('?');
  const bool is_named = uri.starts_with('@');  // keeps the request's arguments
  if (query != std::string_view::npos) {
    if (!is_named) verdict.args = uri.substr(query + 1);
    uri = uri.substr(0, query);
    if (!args.empty() && !is_named) verdict.args += '&';
  }
  if (!is_named) verdict.args += args;
  verdict.to = uri;
  return finish(L, *call.script, std::move(verdict));
}

bool is_unsafe(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
bool is_shown_escaped(char c) { return is_unsafe(c) || c == '"' || c == '\\'; }

std::string shown(std::string_view uri) {
  std::string text;
  char escaped[8];
  for (const char c : uri) {
    std::snprintf(escaped, sizeof escaped, "\\x%02X", static_cast<unsigned char>(c));
    if (is_shown_escaped(c)) text += escaped;
    else text += c;
  }
  return text;
}

int redirect(lua_State* L) {
  Call& call = check_call(L, kHandlers, 2);
  if (!lua_isstring(L, 1)) return raise_argument(L, 2, 1, "redirect", "string expected");
  const std::string_view uri = text_at(L, 1);
  const int status = lua_isnoneornil(L, 2) ? 302 : static_cast<int>(lua_tointeger(L, 2));
  if (status != 301 && status != 302 && status != 303 && status != 307 && status != 308)
    return raise(L, 2, "only ngx.HTTP_MOVED_TEMPORARILY, ngx.HTTP_MOVED_PERMANENTLY, ngx.HTTP_PERMANENT_REDIRECT, ngx.HTTP_SEE_OTHER, and "
                       "ngx.HTTP_TEMPORARY_REDIRECT are allowed");
  if (has_answered(call)) return raise(L, 2, "attempt to call ngx.redirect after sending out the headers");
  for (const char c : uri)
    if (is_unsafe(c))
      return raise(L, 2, "unsafe byte \"0x%02x\" in redirect uri \"%s\"", static_cast<unsigned char>(c), shown(uri).c_str());
  Verdict verdict;
  verdict.kind = Verdict::redirect;
  verdict.status = status;
  verdict.to = uri;
  return finish(L, *call.script, std::move(verdict));
}

// relocate(uri): ngx.req.set_uri with a jump
int relocate(lua_State* L) {
  Call& call = check_call(L, bit(Hook::rewrite) | bit(Hook::server_rewrite), 3);
  Verdict verdict;
  verdict.kind = Verdict::relocate;
  verdict.to = text_at(L, 1);
  return finish(L, *call.script, std::move(verdict));
}

// deadline(seconds): the request's handler has so much time from now on, within request_max_time
int deadline(lua_State* L) {
  Call& call = check_call(L, kHandlers);
  const double seconds = luaL_checknumber(L, 1);
  if (!(seconds > 0)) return luaL_argerror(L, 1, "more than 0 expected");
  call.x->main().set_deadline(Milliseconds(milliseconds(seconds)));
  return 0;
}

// on_abort(function)
int on_abort(lua_State* L) {
  Call& call = check_call(L, kHandlers);
  if (!lua_isfunction(L, 1) || lua_iscfunction(L, 1)) return luaL_argerror(L, 1, "Lua function expected");
  if (!*call.x->conf<Lua>().check_client_abort) return push_error(L, "lua_check_client_abort is off");
  Script& script = *call.script;
  if (script.on_abort.state) return push_error(L, "duplicate call");
  lua_settop(L, 1);
  Vm::Coroutine coroutine;
  coroutine.state = lua_newthread(L);
  lua_pushvalue(L, -1);
  coroutine.ref = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_pushvalue(L, 1);
  lua_xmove(L, coroutine.state, 1);
  script.vm.light.insert(coroutine.state);
  script.on_abort = coroutine;
  lua_pushinteger(L, 1);
  return 1;
}

constexpr luaL_Reg kControl[] = {{"deadline", deadline}, {"on_abort", on_abort}, {"exit", exit}, {"exec", exec}, {"redirect", redirect}, {"relocate", relocate}};

}  // namespace

std::span<const luaL_Reg> control_api() { return kControl; }

}  // namespace seawall::lua
