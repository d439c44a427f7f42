#include "seawall/server/subrequest.h"

#include <algorithm>
#include <utility>

#include "seawall/server/access_log.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/handler_run.h"
#include "seawall/server/respond.h"

namespace seawall {
namespace {

// A body that somebody has stored already: in memory or in a file.
class ReadBody final : public BodySource {
 public:
  explicit ReadBody(const RequestBody& stored)
      : size_(stored.file() ? stored.file()->length : stored.kept() ? stored.kept()->size() : 0), reader_(reader_of(body_of(stored))) {}
  Task<Result<Piece>> read(Exchange&) override { return reader_->read(); }
  const Headers& trailers() const override { return none_; }
  std::uint64_t wire_size() const override { return size_; }
  std::uint64_t size() const { return size_; }

 private:
  static Body body_of(const RequestBody& stored) {
    if (stored.file()) return *stored.file();
    return stored.kept() ? *stored.kept() : Slice();
  }

  const std::uint64_t size_;
  const std::unique_ptr<Reader> reader_;
  Headers none_;
};

// The parent's head, as a GET of something else. Its fields stay the parent's text.
RequestHead head_below(const RequestHead& parent, std::string uri) {
  RequestHead head;
  head.method = Method::get;
  head.method_name = "GET";
  head.version = parent.version;
  head.request_line = parent.request_line;
  head.target = parent.target;
  head.raw_path = parent.raw_path;
  head.authority = parent.authority;
  head.host = parent.host;
  head.path = std::move(uri);
  for (const Field& field : parent.headers.all()) head.headers.add_view(field.name, field.value, field.id);
  head.keep_alive = parent.keep_alive;
  head.size = parent.size;
  head.storage = parent.storage;
  return head;
}

// What it has set is set for its parent; not the rest, which another subrequest beside it may have set meanwhile.
void hand_back(const Exchange& x, const std::vector<std::pair<std::string, std::string>>& before) {
  auto& all = x.parent->named_captures;
  for (std::size_t i = 0; i < x.named_captures.size(); ++i) {
    const auto& [name, value] = x.named_captures[i];
    if (i < before.size() && before[i].second == value) continue;
    const auto known = std::find_if(all.begin(), all.end(), [&](const auto& pair) { return pair.first == name; });
    if (known != all.end()) known->second = value;
    else all.emplace_back(name, value);
  }
}

Outcome beginning_of(Exchange& x) {
  if (!x.uri.starts_with('@')) return Next{};
  return Internal(std::exchange(x.uri, x.parent->uri));
}

int depth_of(const Exchange& x) { return x.parent ? 1 + depth_of(*x.parent) : 0; }

}  // namespace

class Subrequest::Work {
 public:
  Work(Exchange& parent, std::string uri, Life life)
      : life(life), x(std::make_unique<Exchange>(parent.connection, head_below(parent.request, std::move(uri)), *parent.vhost,
                                                 life == Life::background ? &parent.background : &parent.scope)) {
    x->parent = &parent;
    x->internal = true;
    x->outlives_client = life == Life::background;
  }
  // The end of its life, when nothing is at work any more.
  void log() {
    if (*x->core().log_subrequest) log_exchange(*x);
  }

  Life life;
  bool repeats = false;
  std::optional<Variables> own;  // instead of the parent's
  std::optional<ReadBody> body;
  std::unique_ptr<Exchange> x;
};

Subrequest::Subrequest(Exchange& parent, std::string uri, std::string args, Life life)
    : work_(std::make_unique<Work>(parent, std::move(uri), life)) {
  work_->x->args = std::move(args);
}

Subrequest::Subrequest(Subrequest&&) noexcept = default;

Subrequest::~Subrequest() {
  if (!work_) return;
  if (work_->x->at_work()) {
    Exchange& parent = *work_->x->parent;
    Scope& scope = work_->life == Life::background ? parent.background : parent.scope;
    scope.spawn(end(std::move(work_)));
  } else {
    work_->log();
  }
}

Exchange& Subrequest::exchange() { return *work_->x; }

void Subrequest::take_method() {
  Exchange& x = *work_->x;
  x.method = x.request.method = x.parent->method;
  x.request.method_name = x.parent->request.method_name;
}

void Subrequest::give_body(const RequestBody& body) {
  Exchange& x = *work_->x;
  work_->body.emplace(body);
  x.request.content_length = work_->body->size();
  x.body.attach(&*work_->body, work_->body->size());
}

void Subrequest::repeat_content() {
  Exchange& x = *work_->x;
  const Exchange& parent = *x.parent;
  take_method();
  x.enter(*parent.location);
  x.internal = parent.internal;
  x.uri_changed_here = parent.uri_changed_here;
  x.uri_follows_alias = parent.uri_follows_alias;
  x.captures = parent.captures;
  work_->repeats = true;
}

void Subrequest::keep_to_itself(Variables variables) { work_->own = std::move(variables); }

Task<std::optional<Response>> Subrequest::run() {
  Exchange& x = *work_->x;
  Exchange& parent = *x.parent;
  if (depth_of(x) > kMaxDepth) {
    parent.log(Level::error, "subrequests cycle while processing \"" + x.uri + "\"");
    co_return Response(500);
  }
  const bool in_background = work_->life == Life::background;
  const bool shares = !in_background && !work_->own;
  if (work_->own) x.named_captures = std::move(*work_->own);
  else x.named_captures = parent.named_captures;
  std::vector<std::pair<std::string, std::string>> variables_before;
  if (shares) variables_before = parent.named_captures;
  Scope& scope = co_await current_scope();
  Outcome outcome = beginning_of(x);
  // The handler's deadline is the parent's while that waits.
  if (work_->repeats) co_await seawall::repeat_content(x, outcome);
  else if (in_background) co_await run_handler(x, outcome);
  else co_await respond(x, outcome);
  auto* const response = std::get_if<Response>(&outcome);
  const bool is_ended = !response && scope.cancelled();  // the request ends, which is no wish to close
  x.status = response ? response->status : is_ended ? 500 : 444;
  if (shares) hand_back(x, variables_before);
  if (response) co_return std::move(*response);
  if (is_ended) co_return Response(500);
  co_return std::nullopt;
}

Task<void> Subrequest::end(std::unique_ptr<Work> work) {
  Exchange& x = *work->x;
  co_await end_work(x);
  work->log();
}

Task<void> Subrequest::end() { return end(std::move(work_)); }

}  // namespace seawall
