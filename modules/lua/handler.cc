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
Response begin_response(Exchange& x, int status) {
  RequestState& state = x.state<Lua>();
  Response response(status);
  if (!state.headers.has(FieldId::content_type) && !state.headers_cleared_type && *x.conf<Lua>().use_default_type)
    if (const std::string_view type = content_type_of(x); !type.empty()) response.headers.add_view("Content-Type", type, FieldId::content_type);
  for (const Field& field : state.headers.all())
    if (!is_the_writers(field.id)) response.headers.add(field.name, field.value);
  if (const std::string_view date = state.headers.get(FieldId::last_modified); !date.empty()) response.last_modified = parse_http_date(date);
  return response;
}

// The length that a script has said, which holds where the body is not known in full.
std::optional<std::uint64_t> said_length(const RequestState& state) { return parse_length(state.headers.get(FieldId::content_length)); }

Response streamed(Exchange& x, std::unique_ptr<Script> script) {
  RequestState& state = x.state<Lua>();
  state.sent = true;
  Response response = begin_response(x, state.status_to_send());
  if (response.status == 101) response.body = std::make_unique<ScriptTunnel>(std::move(script));
  else response.body = std::make_unique<ScriptBody>(std::move(script), said_length(state));
  state.headers.clear();
  return response;
}

// Nothing of a response is out: the script says all of it.
Outcome given_away(Exchange& x, std::unique_ptr<Script> script) {
  RequestState& state = x.state<Lua>();
  state.sent = true;
  x.status = state.status;
  take_over(x, std::make_unique<ScriptTunnel>(std::move(script)));
  return Abort{};
}

Response whole(Exchange& x, int status, std::string body) {
  RequestState& state = x.state<Lua>();
  state.sent = true;
  Response response = begin_response(x, status);
  const auto length = said_length(state);
  if (length && *length < body.size()) body.resize(static_cast<std::size_t>(*length));  // no more than was announced
  // A head alone may have the length of a body that it stands for; an announced one that is not kept must end badly.
  if (length && *length != body.size()) response.body = std::make_unique<SaidBody>(std::move(body), *length);
  else response.body = Slice::from(std::move(body));
  const bool buffered = x.request.version == Version::http10 && *x.conf<Lua>().http10_buffering;
  if (is_nginx_alike() && !length && !x.parent && !buffered && !std::get<Slice>(response.body).empty()) make_length_unknown(response);
  state.headers.clear();
  return response;
}

// A script that has failed behind its first output: the client must not take what it gets for the whole.
Response broken(Exchange& x, std::string body) {
  RequestState& state = x.state<Lua>();
  state.sent = true;
  Response response = begin_response(x, state.status_to_send());
  response.body = std::make_unique<SaidBody>(std::move(body), said_length(state), true);
  state.headers.clear();
  return response;
}

// ngx.exit(status) or an error before anything was sent.
Outcome answer_of(Exchange& x, int status) {
  RequestState& state = x.state<Lua>();
  if (status == 444 || status < 0) return Abort{};
  if (status >= 300 && status != 304) {
    Response response(status);
    for (const Field& field : state.headers.all())
      if (field.id != FieldId::content_length && field.id != FieldId::content_type) response.headers.add(field.name, field.value);
    state.headers.clear();
    return response;
  }
  return whole(x, status, {});
}

Outcome redirect(Exchange& x, const Verdict& verdict) {
  RequestState& state = x.state<Lua>();
  Response response(verdict.status);
  for (const Field& field : state.headers.all())
    if (field.id != FieldId::content_length && field.id != FieldId::content_type && field.id != FieldId::location)
      response.headers.add(field.name, field.value);
  response.headers.set("Location", verdict.to);  // as it was said: absolute_redirect is not about scripts
  state.headers.clear();
  return response;
}

// What a script that has ended means.
Outcome outcome_of(Exchange& x, Script& script) {
  RequestState& state = x.state<Lua>();
  const Verdict& verdict = script.verdict;
  if (script.begun) {
    if (verdict.kind == Verdict::failed || (verdict.kind == Verdict::exit && verdict.status < 0))
      return broken(x, std::move(script.out));
    return whole(x, state.status_to_send(), std::move(script.out));
  }
  switch (verdict.kind) {
    case Verdict::failed: return answer_of(x, 500);
    case Verdict::exec: {
      Internal to(verdict.to, verdict.args);
      state.headers.clear();
      if (state.ctx) state.vm->drop_ctx(std::exchange(state.ctx, 0));
      return to;
    }
    case Verdict::redirect: return redirect(x, verdict);
    case Verdict::relocate: return Relocate(verdict.to);
    case Verdict::exit:
      if (verdict.status == Verdict::kDeclined) return Next{};
      if (verdict.status == 0) break;
      if (verdict.status >= 200 && verdict.status < 300) {
        if (state.status == 0 || verdict.status != 200) state.status = verdict.status;
        return whole(x, state.status_to_send(), {});
      }
      return answer_of(x, verdict.status);
    case Verdict::none: break;
  }
  if (script.hook == Hook::content) return whole(x, state.status_to_send(), {});
  if (script.hook == Hook::access && (verdict.kind == Verdict::exit || is_nginx_alike())) return Granted{};
  return Next{};
}

Task<Outcome> run(Exchange& x, const Conf& conf, Hook hook, const Chunk& chunk) {
  if (*conf.need_request_body && !x.body.ended()) {
    const Result<void> stored = co_await x.body.store(x);
    if (!stored) {
      const int status = seawall::status_of(stored.error());
      if (status == 0) co_return Abort{};
      co_return Response(status);
    }
    x.state<Lua>().body_read = true;
  }
  if (!*conf.check_client_abort) x.outlives_client = true;
  log_debug(&x, [&] { return std::string("lua ") + phase_of(hook) + " handler, uri:\"" + x.uri + "\""; });
  auto script = std::make_unique<Script>(vm_of(x), hook, &x, &x.background);
  script->buffers_all = x.request.version == Version::http10 && *conf.http10_buffering && x.request.method != Method::head;
  if (!script->begin(chunk)) co_return Response(script->status);
  const Stop stop = co_await script->run();
  if (stop != Stop::output && script->wants_connection) x.state<Lua>().raw_socket = false;  // the request goes on without it
  if (stop == Stop::output) {
    if (!script->begun) co_return given_away(x, std::move(script));
    // A subrequest's or the client's: what follows is pulled.
    co_return streamed(x, std::move(script));
  }
  if (stop == Stop::cancelled) {
    if (x.client_left) {
      x.log(Level::info, "client prematurely closed connection");
      if (script->tell_of_abort()) co_await script->run_out().in(x.background);
    }
    co_await script->end();
    co_return Response(500);
  }
  Outcome outcome = outcome_of(x, *script);
  if (!script->at_rest()) co_await script->end();
  // A light thread was ended while it read the body: what is left of that must not pass for the whole.
  const bool goes_on = !std::holds_alternative<Abort>(outcome) && !std::holds_alternative<Response>(outcome);
  if (goes_on && x.state<Lua>().body_lost) co_return Response(400);
  co_return outcome;
}

// No hook here.
Task<Outcome> go_on() { co_return Next{}; }

}  // namespace

Task<Outcome> run_server_rewrite(Exchange& x, const Conf& conf) { return run(x, conf, Hook::server_rewrite, **conf.server_rewrite); }
Task<Outcome> run_rewrite(Exchange& x, const Conf& conf) { return run(x, conf, Hook::rewrite, **conf.rewrite); }
// A script of set_by_lua has failed: the instruction could not say so.
Outcome end_failed_set(Exchange& x, const Conf&) {
  if (std::exchange(x.state<Lua>().set_failed, false)) return Response(500);
  return Next{};
}

Task<Outcome> run_access(Exchange& x, const Conf& conf) { return run(x, conf, Hook::access, **conf.access); }

Task<Outcome> run_content(Exchange& x, const Conf& conf) {
  return x.location->holds(conf.block) ? run(x, conf, Hook::content, *conf.content) : go_on();
}

}  // namespace seawall::lua
