#include "handler.h"

#include "api.h"
#include "lua.h"
#include "script.h"
#include "script_body.h"
#include "seawall/http/date.h"
#include "seawall/server/content_type.h"
#include "seawall/server/error_pages.h"
#include "seawall/server/server_name.h"
#include "seawall/server/takeover.h"

namespace seawall::lua {
namespace {

// Where a message ends, and what becomes of the connection, the server says itself.
bool is_the_writers(FieldId id) {
  return id == FieldId::content_length || id == FieldId::connection || id == FieldId::transfer_encoding || id == FieldId::keep_alive;
}

// What the scripts have said of the response goes into it: nothing of that is left for a filter.
Response& begin_response(Exchange& x, int status, Outcome& outcome) {
  RequestState& state = x.state<Lua>();
  Response& response = outcome.emplace<Response>(status);
  if (!state.headers.has(FieldId::content_type) && !state.headers_cleared_type && *x.conf<Lua>().use_default_type)
    if (const std::string_view type = content_type_of(x); !type.empty()) response.headers.add_view("Content-Type", type, FieldId::content_type);
  for (const Field& field : state.headers.all())
    if (!is_the_writers(field.id)) response.headers.add(field.name, field.value);
  if (const std::string_view date = state.headers.get(FieldId::last_modified); !date.empty()) response.last_modified = parse_http_date(date);
  return response;
}

// The length that a script has said, which holds where the body is not known in full.
std::optional<std::uint64_t> said_length(const RequestState& state) { return parse_length(state.headers.get(FieldId::content_length)); }

void streamed(Exchange& x, std::unique_ptr<Script> script, Outcome& outcome) {
  RequestState& state = x.state<Lua>();
  state.sent = true;
  Response& response = begin_response(x, state.status_to_send(), outcome);
  if (response.status == 101) response.body = std::make_unique<ScriptTunnel>(std::move(script));
  else response.body = std::make_unique<ScriptBody>(std::move(script), said_length(state));
  state.headers.clear();
}

// Nothing of a response is out: the script says all of it.
void given_away(Exchange& x, std::unique_ptr<Script> script, Outcome& outcome) {
  RequestState& state = x.state<Lua>();
  state.sent = true;
  x.status = state.status;
  take_over(x, std::make_unique<ScriptTunnel>(std::move(script)));
  outcome = Abort{};
}

void whole(Exchange& x, int status, std::string body, Outcome& outcome) {
  RequestState& state = x.state<Lua>();
  state.sent = true;
  Response& response = begin_response(x, status, outcome);
  const auto length = said_length(state);
  if (length && *length < body.size()) body.resize(static_cast<std::size_t>(*length));  // no more than was announced
  // A head alone may have the length of a body that it stands for; an announced one that is not kept must end badly.
  if (length && *length != body.size()) response.body = std::make_unique<SaidBody>(std::move(body), *length);
  else response.body = Slice::from(std::move(body));
  const bool buffered = x.request.version == Version::http10 && *x.conf<Lua>().http10_buffering;
  if (is_nginx_alike() && !length && !x.parent && !buffered && !std::get<Slice>(response.body).empty()) make_length_unknown(response);
  state.headers.clear();
}

// A script that has failed behind its first output: the client must not take what it gets for the whole.
void broken(Exchange& x, std::string body, Outcome& outcome) {
  RequestState& state = x.state<Lua>();
  state.sent = true;
  begin_response(x, state.status_to_send(), outcome).body = std::make_unique<SaidBody>(std::move(body), said_length(state), true);
  state.headers.clear();
}

// ngx.exit(status) or an error before anything was sent.
void answer(Exchange& x, int status, Outcome& outcome) {
  RequestState& state = x.state<Lua>();
  if (status == 444 || status < 0) {
    outcome = Abort{};
    return;
  }
  if (status < 300 || status == 304) return whole(x, status, {}, outcome);
  Response& response = outcome.emplace<Response>(status);
  for (const Field& field : state.headers.all())
    if (field.id != FieldId::content_length && field.id != FieldId::content_type) response.headers.add(field.name, field.value);
  state.headers.clear();
}

void redirect(Exchange& x, const Verdict& verdict, Outcome& outcome) {
  RequestState& state = x.state<Lua>();
  Response& response = outcome.emplace<Response>(verdict.status);
  for (const Field& field : state.headers.all())
    if (field.id != FieldId::content_length && field.id != FieldId::content_type && field.id != FieldId::location)
      response.headers.add(field.name, field.value);
  response.headers.set("Location", verdict.to);  // as it was said: absolute_redirect is not about scripts
  state.headers.clear();
}

void exec(Exchange& x, const Verdict& verdict, Outcome& outcome) {
  RequestState& state = x.state<Lua>();
  outcome = Internal(verdict.to, verdict.args);
  state.headers.clear();
  if (state.ctx) state.vm->drop_ctx(std::exchange(state.ctx, 0));
}

// ngx.exit() of a script that has not said anything; the end of a content script is an answer anyway.
void leave(Exchange& x, int status, Hook hook, Outcome& outcome) {
  RequestState& state = x.state<Lua>();
  if (status == Verdict::kDeclined) return;
  if (status >= 200 && status < 300) {
    if (state.status == 0 || status != 200) state.status = status;
    return whole(x, state.status_to_send(), {}, outcome);
  }
  if (status != 0) return answer(x, status, outcome);
  if (hook == Hook::content) whole(x, state.status_to_send(), {}, outcome);
  else if (hook == Hook::access) outcome = Granted{};
}

// What a script that has ended means.
void conclude(Exchange& x, Script& script, Outcome& outcome) {
  RequestState& state = x.state<Lua>();
  const Verdict& verdict = script.verdict;
  if (script.begun) {
    const bool is_broken = verdict.kind == Verdict::failed || (verdict.kind == Verdict::exit && verdict.status < 0);
    if (is_broken) return broken(x, std::move(script.out), outcome);
    return whole(x, state.status_to_send(), std::move(script.out), outcome);
  }
  switch (verdict.kind) {
    case Verdict::failed: return answer(x, 500, outcome);
    case Verdict::exec: return exec(x, verdict, outcome);
    case Verdict::redirect: return redirect(x, verdict, outcome);
    case Verdict::relocate: outcome = Relocate(verdict.to); return;
    case Verdict::exit: return leave(x, verdict.status, script.hook, outcome);
    case Verdict::none: break;
  }
  if (script.hook == Hook::content) whole(x, state.status_to_send(), {}, outcome);
  else if (script.hook == Hook::access && is_nginx_alike()) outcome = Granted{};
}

std::unique_ptr<Script> make_script(Exchange& x, const Conf& conf, Hook hook) {
  if (!*conf.check_client_abort) x.outlives_client = true;
  log_debug(&x, [&] { return std::string("lua ") + phase_of(hook) + " handler, uri:\"" + x.uri + "\""; });
  auto script = std::make_unique<Script>(vm_of(x), hook, &x, &x.background);
  script->buffers_all = x.request.version == Version::http10 && *conf.http10_buffering && x.request.method != Method::head;
  return script;
}

// It has something to send: whoever sends pulls the rest of it, the client's body or a subrequest's; or the connection is its own.
void let_go_on(Exchange& x, std::unique_ptr<Script> script, Outcome& outcome) {
  if (!script->begun) given_away(x, std::move(script), outcome);
  else streamed(x, std::move(script), outcome);
}

// It has ended, and no task of it is at work. `outcome` is a Next before.
void close(Exchange& x, Script& script, Outcome& outcome) {
  const bool has_said = script.verdict.kind != Verdict::none || script.begun;
  if (has_said || script.hook == Hook::content || is_nginx_alike()) conclude(x, script, outcome);
  const bool answers = std::holds_alternative<Abort>(outcome) || std::holds_alternative<Response>(outcome);
  // A light thread was ended while it read the body: what is left of that must not pass for the whole.
  if (!answers && x.state<Lua>().body_lost) outcome = Response(400);
}

// Nothing comes of a connection that it was about to have: the request goes on without it.
void leave_connection(Exchange& x, const Script& script) {
  if (script.wants_connection) x.state<Lua>().raw_socket = false;
}

// What is left of one that waits, or whose light threads do.
Task<void> run_script(Exchange& x, std::unique_ptr<Script> script, Outcome& outcome) {
  std::optional<Stop> stop = script->advance();
  while (!stop) stop = co_await script->wait();
  if (stop == Stop::output) {
    let_go_on(x, std::move(script), outcome);
    co_return;
  }
  leave_connection(x, *script);
  if (stop == Stop::cancelled && x.client_left) {
    x.log(Level::info, "client prematurely closed connection");
    if (script->tell_of_abort()) co_await script->run_out().in(x.background);
  }
  co_await script->end();
  if (stop == Stop::cancelled) outcome = Response(500);
  else close(x, *script, outcome);
}

// Most scripts wait for nothing: they have run when this returns.
Rest run_now(Exchange& x, std::unique_ptr<Script> script, const Chunk& chunk, Outcome& outcome) {
  if (!script->begin(chunk)) {
    outcome = Response(script->status);
    return {};
  }
  const std::optional<Stop> stop = script->advance();
  if (stop == Stop::output) {
    let_go_on(x, std::move(script), outcome);
    return {};
  }
  if (!stop || !script->at_rest()) return Rest(run_script(x, std::move(script), outcome));
  leave_connection(x, *script);
  close(x, *script, outcome);
  return {};
}

Outcome refusal_of(const std::error_code& error) {
  const int status = seawall::status_of(error);
  if (status == 0) return Abort{};
  return Response(status);
}

Task<void> run_behind_body(Exchange& x, const Conf& conf, Hook hook, const Chunk& chunk, Outcome& outcome) {
  const Result<void> stored = co_await x.body.store(x);
  if (!stored) {
    outcome = refusal_of(stored.error());
    co_return;
  }
  x.state<Lua>().body_read = true;
  Rest rest = run_now(x, make_script(x, conf, hook), chunk, outcome);
  if (rest) co_await rest;
}

Rest run(Exchange& x, const Conf& conf, Hook hook, const Chunk& chunk, Outcome& outcome) {
  if (*conf.need_request_body && !x.body.ended()) return Rest(run_behind_body(x, conf, hook, chunk, outcome));
  return run_now(x, make_script(x, conf, hook), chunk, outcome);
}

}  // namespace

Rest run_server_rewrite(Exchange& x, const Conf& conf, Outcome& outcome) {
  return run(x, conf, Hook::server_rewrite, **conf.server_rewrite, outcome);
}
Rest run_rewrite(Exchange& x, const Conf& conf, Outcome& outcome) { return run(x, conf, Hook::rewrite, **conf.rewrite, outcome); }
// A script of set_by_lua has failed: the instruction could not say so.
Outcome end_failed_set(Exchange& x, const Conf&) {
  if (std::exchange(x.state<Lua>().set_failed, false)) return Response(500);
  return Next{};
}

Rest run_access(Exchange& x, const Conf& conf, Outcome& outcome) { return run(x, conf, Hook::access, **conf.access, outcome); }

Rest run_content(Exchange& x, const Conf& conf, Outcome& outcome) {
  if (!x.location->holds(conf.block)) return {};
  return run(x, conf, Hook::content, *conf.content, outcome);
}

}  // namespace seawall::lua
