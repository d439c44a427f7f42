#include "filters.h"

#include "api.h"
#include "lua.h"
#include "seawall/server/changed_body.h"

namespace seawall::lua {
namespace {

void refuse(Response& response, int status) {
  response = Response(status);
  response.refused = true;
}

// The head as it is, and an end.
void say_nothing(Response& response, int status) {
  response.status = status;
  response.body = Slice();
}

bool filter_head(Exchange& x, Response& response, const Chunk& chunk) {
  Vm& vm = vm_of(x);
  int refused = 0;  // by ngx.exit()
  Call call(Hook::header_filter, &x);
  call.response = &response;
  call.more = &refused;
  if (vm.run(chunk, call)) {
    if (refused >= 300) refuse(response, refused);
    else if (refused) say_nothing(response, refused);
    return true;
  }
  x.log(Level::error, vm.error.starts_with("failed to load") ? vm.error : "failed to run header_filter_by_lua*: " + vm.error);
  return false;
}

class FilteredBody final : public Reader {
 public:
  FilteredBody(Exchange& x, std::unique_ptr<Reader> body, ChunkPtr chunk) : x_(x), body_(std::move(body)), chunk_(std::move(chunk)) {}

  Task<Result<Piece>> read() override {
    Result<Piece> piece = co_await body_->read();
    if (piece && !filter(*piece)) co_return Errc::truncated;
    co_return piece;
  }
  Headers trailers() override { return body_->trailers(); }

 private:
  bool filter(Piece& piece) {
    log_debug(&x_, [&] { return "lua body filter for user lua code, uri \"" + x_.uri + "\""; });
    Vm& vm = vm_of(x_);
    FilteredPiece filtered;
    filtered.data = piece.data.view();
    filtered.last = piece.last;
    Call call(Hook::body_filter, &x_);
    call.more = &filtered;
    if (!vm.run(*chunk_, call)) {
      x_.log(Level::error, vm.error.starts_with("failed to load") ? vm.error : "failed to run body_filter_by_lua*: " + vm.error);
      return false;
    }
    if (filtered.is_changed) piece.data = Slice::from(std::move(filtered.changed));
    piece.last = filtered.last || piece.last;
    return true;
  }

  Exchange& x_;
  const std::unique_ptr<Reader> body_;
  const ChunkPtr chunk_;
};

// What a script in an earlier phase has said, and no handler of ours has used.
void add_said(RequestState& state, Response& response) {
  for (const Field& field : state.headers.all()) {
    if (field.id == FieldId::content_length) continue;
    if (field.id == FieldId::content_type) response.headers.remove(FieldId::content_type);
    response.headers.add(field.name, field.value);
  }
  state.headers.clear();
}

}  // namespace

Result<void> run_filters(Exchange& x, Response& response, const Conf& conf) {
  RequestState& state = x.state<Lua>();
  // A "return" behind set_by_lua has come before the step that looks.
  if (std::exchange(state.set_failed, false) && !response.refused && response.status < 400) {
    refuse(response, 500);
    return {};
  }
  if (!state.headers.empty()) add_said(state, response);
  if (state.status && response.status == 200) response.status = state.status;
  if (*conf.header_filter || *conf.body_filter)
    log_debug(&x, [&] { return "lua header filter for user lua code, uri \"" + x.uri + "\""; });
  if (*conf.header_filter && !filter_head(x, response, **conf.header_filter)) {
    refuse(response, 500);
    return {};
  }
  state.sent = true;
  if (!*conf.body_filter || std::holds_alternative<std::unique_ptr<Tunnel>>(response.body) || response.refused) return {};
  response.body = std::make_unique<FilteredBody>(x, reader_of(std::move(response.body)), *conf.body_filter);
  body_changes(response);
  return {};
}

void Lua::log(Exchange& x, const Conf& conf) {
  if (!*conf.log) return;
  log_debug(&x, [&] { return "lua log handler, uri:\"" + x.uri + "\""; });
  Vm& vm = vm_of(x);
  Call call(Hook::log, &x);
  if (!vm.run(**conf.log, call))
    x.log(Level::error, vm.error.starts_with("failed to load") ? vm.error : "failed to run log_by_lua*: " + vm.error);
}

}  // namespace seawall::lua
