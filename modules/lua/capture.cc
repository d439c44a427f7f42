// ngx.location.capture: subrequests whose answers a script reads, beside each other. One loop.
#include <optional>

#include "api.h"
#include "lua.h"
#include "new_body.h"
#include "seawall/base/text.h"
#include "seawall/config/variable.h"
#include "seawall/server/exchange.h"
#include "seawall/server/subrequest.h"

namespace seawall::lua {
namespace {

constexpr int kMostAtOnce = 1000;
constexpr std::size_t kLargestAnswer = 64 * 1024 * 1024;  // more would be memory that an upstream has the say about

class Capture {
 public:
  Capture(Exchange& x, std::string uri, std::string args) : sub(x, std::move(uri), std::move(args)) {}
  std::unique_ptr<NewBody> body;     // that it is given: outlives it
  Subrequest sub;
  int status = 0;
  Headers headers;
  std::optional<std::uint64_t> length;
  std::string text;
  bool truncated = false;
};

class CaptureAwait final : public Await {
 public:
  explicit CaptureAwait(Script& script) : script_(script) { ++script_.subrequests; }
  ~CaptureAwait() override { ended(); }
  Task<void> run() override {
    Scope& here = co_await current_scope();
    Scope all(&here);
    for (auto& capture : captures) all.spawn(ask(*capture));
    co_await all.join();
    ended();
  }
  int push(lua_State* L) override {
    luaL_checkstack(L, static_cast<int>(captures.size()) + 8, "too many subrequests");
    for (const auto& capture : captures) push_answer(L, *capture);
    return static_cast<int>(captures.size());
  }
  std::vector<std::unique_ptr<Capture>> captures;

 private:
  void ended() {
    if (std::exchange(is_counted_, false)) --script_.subrequests;
  }
  static Task<void> ask(Capture& capture) {
    std::optional<Response> response = co_await capture.sub.run();
    if (response) {
      capture.status = response->status;
      for (const Field& field : response->headers.all()) capture.headers.add(field.name, field.value);
      capture.length = length_of(response->body);
      if (carries_body(capture.sub.exchange().request.method, response->status)) co_await read(capture, std::move(response->body));
    } else {
      capture.status = 444;
    }
    response.reset();
    co_await capture.sub.end();
  }
  static Task<void> read(Capture& capture, Body body) {
    if (std::holds_alternative<std::unique_ptr<Tunnel>>(body)) co_return;
    const std::unique_ptr<Reader> reader = reader_of(std::move(body));
    for (;;) {
      Result<Piece> piece = co_await reader->read();
      if (!piece) {
        capture.truncated = true;
        co_return;
      }
      capture.text.append(piece->data.view());
      if (capture.text.size() > kLargestAnswer) {
        capture.truncated = true;
        co_return;
      }
      if (piece->last) co_return;
    }
  }
  // A table: status, header, body, truncated.
  static void push_answer(lua_State* L, Capture& capture) {
    lua_createtable(L, 0, 4);
    lua_pushinteger(L, capture.status);
    lua_setfield(L, -2, "status");
    lua::push(L, capture.text);
    lua_setfield(L, -2, "body");
    lua_pushboolean(L, capture.truncated);
    lua_setfield(L, -2, "truncated");
    lua_newtable(L);
    for (const Field& field : capture.headers.all()) push_field(L, field);
    if (capture.length) {
      lua_pushstring(L, std::to_string(*capture.length).c_str());
      lua_setfield(L, -2, "Content-Length");
    }
    lua_setfield(L, -2, "header");
  }
  // Into the table at the top: a text, or a list of several.
  static void push_field(lua_State* L, const Field& field) {
    lua::push(L, field.name);
    lua_pushvalue(L, -1);
    lua_rawget(L, -3);
    if (lua_isnil(L, -1)) {
      lua_pop(L, 1);
      lua::push(L, field.value);
      lua_rawset(L, -3);
      return;
    }
    if (!lua_istable(L, -1)) {
      lua_createtable(L, 2, 0);
      lua_insert(L, -2);
      lua_rawseti(L, -2, 1);
    }
    lua::push(L, field.value);
    lua_rawseti(L, -2, static_cast<int>(lua_objlen(L, -2)) + 1);
    lua_rawset(L, -3);
  }

  Script& script_;
  bool is_counted_ = true;
};

std::string text_of_field(lua_State* L, int table, const char* name) {
  lua_getfield(L, table, name);
  std::string text(text_at(L, -1));
  lua_pop(L, 1);
  return text;
}

void set_variable(Subrequest::Variables& all, std::string key, std::string_view text) {
  for (auto& [name, value] : all)
    if (name == key) {
      value = text;
      return;
    }
  all.emplace_back(std::move(key), text);
}

// Those of `vars` into `variables`; the server's own that can be set are set of `x`. Raises.
void set_variables(lua_State* L, int options, Subrequest::Variables& variables, Exchange& x) {
  lua_getfield(L, options, "vars");
  if (!lua_istable(L, -1)) return lua_pop(L, 1);
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    if (lua_type(L, -2) != LUA_TSTRING) raise(L, 2, "attempt to use a non-string key in the \"vars\" option table");
    if (!lua_isstring(L, -1)) raise(L, 2, "attempt to use bad variable value type %s", lua_typename(L, lua_type(L, -1)));
    const std::string_view written = text_at(L, -2);
    std::string key = lower(written);
    std::string_view rest;
    const Variable* const variable = Vm::now()->world.variables->find(key, &rest);
    if (!variable || (!variable->set && !variable->changeable && variable->prefix))
      raise(L, 2, "variable \"%.200s\" cannot be assigned a value (maybe you forgot to define it first?)", written.data());
    if (!variable->set && !variable->changeable) raise(L, 2, "variable \"%.200s\" not changeable", written.data());
    if (variable->set) variable->set(x, text_at(L, -1));
    else set_variable(variables, std::move(key), text_at(L, -1));
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

// Those that it begins with: the parent's or none, and what `vars` makes of them.
void give_variables(lua_State* L, int options, Capture& capture, Exchange& parent) {
  lua_getfield(L, options, "share_all_vars");
  lua_getfield(L, options, "copy_all_vars");
  const bool shares = lua_toboolean(L, -2), copies = lua_toboolean(L, -1);
  lua_pop(L, 2);
  if (shares) return set_variables(L, options, parent.named_captures, capture.sub.exchange());
  Subrequest::Variables variables;
  if (copies) variables = parent.named_captures;
  set_variables(L, options, variables, capture.sub.exchange());
  capture.sub.keep_to_itself(std::move(variables));
}

void give_method_and_body(lua_State* L, int options, Capture& capture, Exchange& parent) {
  Exchange& x = capture.sub.exchange();
  const std::string method = text_of_field(L, options, "method_name");
  x.request.method_name = x.request.headers.arena().copy(method.empty() ? "GET" : method);
  x.method = x.request.method = method_of(x.request.method_name);
  lua_getfield(L, options, "body");
  if (lua_isstring(L, -1)) {
    const std::string_view text = text_at(L, -1);
    capture.body = std::make_unique<NewBody>(Slice::copy(text), text.size());
    x.body.attach(capture.body.get(), text.size());
    x.request.content_length = text.size();
    x.request.headers.set("Content-Length", std::to_string(text.size()));
  } else {
    lua_getfield(L, options, "always_forward_body");
    const bool forwards = lua_toboolean(L, -1) || x.method == Method::post || x.method == Method::put;
    lua_pop(L, 1);
    if (forwards && parent.body.ended() && (parent.body.kept() || parent.body.file())) {
      capture.sub.give_body(parent.body);
    } else {
      x.request.headers.remove(FieldId::content_length);
    }
  }
  x.request.headers.remove(FieldId::transfer_encoding);
  lua_pop(L, 1);
}

void give_ctx(lua_State* L, int options, Capture& capture) {
  lua_getfield(L, options, "ctx");
  if (lua_istable(L, -1)) {
    RequestState& state = capture.sub.exchange().state<Lua>();
    state.vm = Vm::now();
    state.ctx = state.vm->take_ctx();
    lua_rawgeti(L, LUA_REGISTRYINDEX, state.vm->ctx_tables);
    lua_pushvalue(L, -2);
    lua_rawseti(L, -2, state.ctx);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

// capture(list): of tables that the shim has checked: uri, args, method_name, body, vars, ctx and flags
int capture(lua_State* L) {
  Call& call = check_call(L, kHandlers, 2);
  Exchange& parent = *call.x;
  auto await = std::make_unique<CaptureAwait>(*call.script);
  const auto count = static_cast<int>(lua_objlen(L, 1));
  if (count > kMostAtOnce || call.script->subrequests > kMostAtOnce) return raise(L, 2, "too many subrequests at once");
  for (int i = 1; i <= count; ++i) {
    lua_rawgeti(L, 1, i);
    const int options = lua_gettop(L);
    auto one = std::make_unique<Capture>(parent, text_of_field(L, options, "uri"), text_of_field(L, options, "args"));
    give_method_and_body(L, options, *one, parent);
    give_variables(L, options, *one, parent);
    log_debug(&parent, [&] { return "lua http subrequest \"" + one->sub.exchange().uri + "?" + one->sub.exchange().args + "\""; });
    give_ctx(L, options, *one);
    lua_settop(L, 1);
    await->captures.push_back(std::move(one));
  }
  return wait_for(L, std::move(await));
}

constexpr luaL_Reg kCapture[] = {{"capture", capture}};

}  // namespace

std::span<const luaL_Reg> capture_api() { return kCapture; }

}  // namespace seawall::lua
