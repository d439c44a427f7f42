#include "script_body.h"

#include "lua.h"
#include "seawall/base/text.h"
#include "seawall/server/exchange.h"
#include "seawall/server/takeover.h"

namespace seawall::lua {
namespace {

// A script that outlives its body: what it says is dropped. It ends by itself, at request_max_time at the latest.
Task<void> drain(std::unique_ptr<Script> script) {
  co_await script->run_out();
  co_await script->end();
}

Task<void> end(std::unique_ptr<Script> script) { co_await script->end(); }

class OfUnknownLength final : public Reader {
 public:
  explicit OfUnknownLength(std::unique_ptr<Reader> body) : body_(std::move(body)) {}
  Task<Result<Piece>> read() override { return body_->read(); }
  Headers trailers() override { return body_->trailers(); }

 private:
  const std::unique_ptr<Reader> body_;
};

}  // namespace

std::optional<std::uint64_t> parse_length(std::string_view text) { return parse_decimal(text); }

void make_length_unknown(Response& response) {
  response.body = std::make_unique<OfUnknownLength>(reader_of(std::move(response.body)));
}

ScriptBody::~ScriptBody() {
  if (!script_) return;
  Exchange& x = *script_->x;
  if (script_->ended()) {
    if (!script_->at_rest()) x.background.spawn(end(std::move(script_)));
  } else if (x.outlives_client || script_->eof || script_->tell_of_abort()) {
    x.background.spawn(drain(std::move(script_)));
  } else {
    x.background.spawn(end(std::move(script_)));
  }
}

Task<Result<Piece>> ScriptBody::read() {
  Script& script = *script_;
  const bool has_said = !script.out.empty() || (!begun_ && script.flush);
  const bool wants_connection = script.wants_connection && !script.ended();
  if (wants_connection && !has_said) {
    take_over(*script.x, std::make_unique<ScriptTunnel>(std::move(script_)));
    co_return Errc::cancelled;
  }
  if (!wants_connection && (begun_ || (!has_said && !script.eof))) {
    script.wake_flushers();
    const Stop stop = co_await script.run();
    if (stop == Stop::cancelled) co_return Errc::cancelled;
    if (stop == Stop::finished) {
      const Verdict::Kind kind = script.verdict.kind;
      const bool failed = kind == Verdict::failed || (kind == Verdict::exit && script.verdict.status < 0);
      if (failed && script.out.empty()) co_return Errc::truncated;
      done_ = !failed;
    }
  }
  begun_ = true;
  script.flush = false;
  const bool last = done_ || script.eof;
  co_return Piece(Slice::from(std::exchange(script.out, {})), last);
}

ScriptTunnel::~ScriptTunnel() {
  if (!script_->at_rest()) script_->x->background.spawn(end(std::move(script_)));
}

Task<void> ScriptTunnel::run(Stream& client, Slice already_read) {
  RequestState& state = script_->x->state<Lua>();
  state.client = &client;
  state.client_in = std::move(already_read);
  script_->out.clear();
  script_->flush = script_->wants_connection = false;
  script_->wake_flushers();
  co_await script_->run_out();
  co_await script_->end();
  state.client = nullptr;
}

Task<Result<Piece>> SaidBody::read() {
  if (given_) co_return Errc::truncated;
  given_ = true;
  co_return Piece(Slice::from(std::move(bytes_)), !fails_);
}

}  // namespace seawall::lua
