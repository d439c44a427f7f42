// ngx.req's body. One loop.
#include "api.h"
#include "body_turn.h"
#include "lua.h"
#include "new_body.h"
#include "seawall/server/error_pages.h"
#include "seawall/server/exchange.h"
#include "tcp.h"

namespace seawall::lua {
namespace {

constexpr Hooks kBody = kHandlers;

// A client that cannot be read from gets what the core says about that, and the script goes no further.
class ReadBodyAwait final : public Await {
 public:
  ReadBodyAwait(Exchange& x, Script& script) : x_(x), script_(script) {}
  Task<void> run() override {
    RequestState& state = x_.state<Lua>();
    BodyTurn turn(state);
    const Errc begun = co_await turn.wait();
    if (begun != Errc::ok) co_return;
    Result<void> stored = Errc::bad_request;
    if (!state.body_lost) stored = co_await x_.body.store(x_);
    if (stored) co_return;
    if (stored.error() == Errc::cancelled) lose_body(x_);
    if (script_.ended()) co_return;
    Verdict verdict;
    verdict.kind = Verdict::exit;
    verdict.status = status_of(stored.error());
    if (verdict.status == 0) verdict.status = 444;
    script_.finish_from_outside(std::move(verdict));
  }
  int push(lua_State*) override { return 0; }

 private:
  Exchange& x_;
  Script& script_;
};

int read_body(lua_State* L) {
  Call& call = check_call(L, kBody, 2);
  Exchange& x = *call.x;
  x.state<Lua>().body_read = true;
  if (x.body.ended() || x.state<Lua>().raw_socket) {
    lua_pushnil(L);
    return 1;
  }
  return wait_for(L, std::make_unique<ReadBodyAwait>(x, *call.script));
}

class DiscardAwait final : public Await {
 public:
  explicit DiscardAwait(Exchange& x) : x_(x) {}
  Task<void> run() override {
    BodyTurn turn(x_.state<Lua>());
    const Errc begun = co_await turn.wait();
    if (begun != Errc::ok) co_return;
    const Result<void> done = co_await x_.body.discard(x_);
    ok_ = done.has_value();
    if (!ok_ && done.error() == Errc::cancelled) lose_body(x_);
  }
  int push(lua_State* L) override {
    if (ok_) return 0;
    return push_error(L, "failed");
  }

 private:
  Exchange& x_;
  bool ok_ = false;
};

int discard_body(lua_State* L) {
  Call& call = check_request(L, kBody, 2);
  if (call.x->body.ended() || call.x->state<Lua>().raw_socket) {
    lua_pushnil(L);
    return 1;
  }
  return wait_for(L, std::make_unique<DiscardAwait>(*call.x));
}

// get_body_data([max])
int get_body_data(lua_State* L) {
  Call& call = check_request(L, kRequest);
  const RequestBody& body = call.x->body;
  if (!body.kept() || body.kept()->empty()) {
    lua_pushnil(L);
    return 1;
  }
  std::string_view text = body.kept()->view();
  if (lua_gettop(L) > 0) text = text.substr(0, whole_size(luaL_checknumber(L, 1)));
  push(L, text);
  return 1;
}

int get_body_file(lua_State* L) {
  Call& call = check_request(L, kRequest);
  Exchange& x = *call.x;
  if (!x.body.file()) {
    lua_pushnil(L);
    return 1;
  }
  Vm::now()->scratch = x.body.file_name();
  if (Vm::now()->scratch.empty()) Vm::now()->scratch = "/proc/self/fd/" + std::to_string(x.body.file()->file->fd.get());
  push(L, Vm::now()->scratch);
  return 1;
}

// What is left of it when the connection is given away is the raw socket's.
bool is_unread(Exchange& x) {
  const RequestState& state = x.state<Lua>();
  return !x.body.ended() && (!state.body_read || state.raw_socket);
}

// set_body_data(text)
int set_body_data(lua_State* L) {
  Call& call = check_request(L, kBody, 2);
  if (!lua_isstring(L, 1)) return raise_argument(L, 2, 1, "set_body_data", "string expected");
  if (is_unread(*call.x)) return raise(L, 2, "request body not read yet");
  return wait_for(L, std::make_unique<NewBodyAwait>(*call.x, Slice::copy(text_at(L, 1))));
}

// set_body_file(path)
int set_body_file(lua_State* L) {
  Call& call = check_request(L, kBody, 2);
  if (is_unread(*call.x)) return raise(L, 2, "request body not read yet");
  return wait_for(L, std::make_unique<NewBodyAwait>(*call.x, std::string(text_at(L, 1))));
}

int push_connection(lua_State* L, const RequestState& state) {
  push_new_tcp(L);
  TcpSocket& socket = tcp_at(L, -1);
  socket.of_request = true;
  socket.borrowed = state.client;
  socket.in = state.client_in.view();
  return 1;
}

// Until what was said is out and the connection is the script's (ScriptTunnel).
class ConnectionAwait final : public Await {
 public:
  explicit ConnectionAwait(RequestState& state) : state_(state) {}
  bool begin(LightThread& thread) override {
    state_.raw_socket = state_.body_read = true;
    thread.script.flushers.push_back(&thread);
    thread.script.wants_connection = true;
    return false;
  }
  Task<void> run() override { co_return; }
  int push(lua_State* L) override { return state_.client ? push_connection(L, state_) : push_error(L, "client aborted"); }

 private:
  RequestState& state_;
};

// Null: there is nothing in its way.
const char* keeps_connection(Exchange& x, const Script& script) {
  const RequestState& state = x.state<Lua>();
  if (state.raw_socket) return "duplicate call";
  if (state.body_busy || (state.body_read && !x.body.ended())) return "pending request body reading in some other thread";
  if (script.buffers_all && script.begun) return "http 1.0 buffering";
  if (script.eof) return "seen eof";
  const int status = state.status_to_send();
  if (script.begun && status != 101 && !carries_body(x.request.method, status)) return "header only";
  return nullptr;
}

// raw_socket(): the client's connection
int raw_socket(lua_State* L) {
  Call& call = check_call(L, kBody, 2);
  Exchange& x = *call.x;
  RequestState& state = x.state<Lua>();
  if (x.parent) return raise(L, 2, "attempt to read the request body in a subrequest");
  if (x.request.version == Version::http2 && !state.client) return raise(L, 2, "http v2 not supported yet");
  if (const char* why = keeps_connection(x, *call.script)) return push_error(L, why);
  if (state.client) {
    state.raw_socket = state.body_read = true;
    return push_connection(L, state);
  }
  return wait_for(L, std::make_unique<ConnectionAwait>(state));
}

// req_socket(): the client's body as it comes, as a socket that only reads
int req_socket(lua_State* L) {
  Call& call = check_call(L, kBody, 2);
  Exchange& x = *call.x;
  if (x.state<Lua>().body_read || x.body.kept() || x.body.file()) return push_error(L, "request body already exists");
  if (!x.body.present() || x.body.length().value_or(1) == 0) return push_error(L, "no body");
  if (x.body.received() > 0) return push_error(L, "duplicate call");
  x.state<Lua>().body_read = true;
  push_new_tcp(L);
  TcpSocket& socket = tcp_at(L, -1);
  socket.of_request = socket.reads_body = true;
  return 1;
}

constexpr luaL_Reg kRequestApi[] = {{"req_socket", req_socket}, {"raw_socket", raw_socket}, {"read_body", read_body}, {"discard_body", discard_body}, {"get_body_data", get_body_data},
                                    {"get_body_file", get_body_file}, {"set_body_data", set_body_data}, {"set_body_file", set_body_file}};

}  // namespace

std::span<const luaL_Reg> request_api() { return kRequestApi; }

}  // namespace seawall::lua
