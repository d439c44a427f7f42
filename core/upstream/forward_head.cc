// The head of an upstream's answer, and what becomes of it: another server, an error page, a file of ours, or the response.
#include <algorithm>

#include "seawall/base/text.h"
#include "seawall/http/date.h"
#include "seawall/net/loop.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/inform.h"
#include "seawall/server/told_charset.h"
#include "seawall/upstream/ended_fields.h"
#include "seawall/upstream/forwarding.h"
#include "seawall/upstream/h2_client.h"
#include "seawall/upstream/sticky.h"
#include "seawall/upstream/upstream_wait.h"

namespace seawall {
namespace {

class UpstreamBody final : public Reader {
 public:
  explicit UpstreamBody(std::shared_ptr<Forwarding> forwarding) : forwarding_(std::move(forwarding)) {}
  ~UpstreamBody() override { forwarding_->let_go_of_body(); }
  Task<Result<Piece>> read() override { return forwarding_->read(); }
  std::optional<std::uint64_t> length() const override { return forwarding_->length(); }
  Headers trailers() override { return forwarding_->take_trailers(); }

 private:
  std::shared_ptr<Forwarding> forwarding_;
};

class UpstreamTunnel final : public Tunnel {
 public:
  explicit UpstreamTunnel(std::shared_ptr<Forwarding> forwarding) : forwarding_(std::move(forwarding)) {}
  Task<void> run(Stream& client, Slice already_read) override { return forwarding_->tunnel(client, std::move(already_read)); }

 private:
  std::shared_ptr<Forwarding> forwarding_;
};

unsigned why_next(int status) {
  switch (status) {
    case 403: return next_upstream::http_403;
    case 404: return next_upstream::http_404;
    case 429: return next_upstream::http_429;
    case 500: return next_upstream::http_500;
    case 502: return next_upstream::http_502;
    case 503: return next_upstream::http_503;
    case 504: return next_upstream::http_504;
    default: return 0;
  }
}

// Of a response whose place a file of ours takes.
bool goes_with_file(const Field& field) {
  switch (field.id) {
    case FieldId::content_type: case FieldId::set_cookie: case FieldId::cache_control: case FieldId::expires: case FieldId::accept_ranges:
      return true;
    default: return equals_ignoring_case(field.name, "Content-Disposition");
  }
}

// Decoded; nothing for one that is no path, or leads up.
std::optional<std::string> safe_path(std::string_view raw) {
  std::string path;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const bool escape = raw[i] == '%' && i + 2 < raw.size() && hex_value(raw[i + 1]) >= 0 && hex_value(raw[i + 2]) >= 0;
    path += escape ? static_cast<char>(hex_value(raw[i + 1]) << 4 | hex_value(raw[i + 2])) : raw[i];
    if (escape) i += 2;
  }
  if (!path.starts_with('/') || path.find('\0') != std::string::npos) return std::nullopt;
  if (path.ends_with("/..") || path.find("/../") != std::string::npos) return std::nullopt;
  return path;
}

// What a client is told as it happens: one that is slow holds it back, instead of being told of the past.
bool is_event_stream(std::string_view type) { return equals_ignoring_case(trim(type.substr(0, type.find(';'))), "text/event-stream"); }

// Said twice, the first counts (nginx); a list may be said in parts.
bool counts_once(FieldId id) {
  switch (id) {
    case FieldId::content_type: case FieldId::date: case FieldId::etag: case FieldId::expires: case FieldId::last_modified:
    case FieldId::location: case FieldId::server:
      return true;
    default: return false;
  }
}

}  // namespace

bool is_hop_by_hop(FieldId id) {
  switch (id) {
    case FieldId::connection: case FieldId::keep_alive: case FieldId::proxy_connection: case FieldId::te: case FieldId::trailer:
    case FieldId::transfer_encoding: case FieldId::upgrade: case FieldId::content_length: case FieldId::http2_settings:
      return true;
    default: return false;
  }
}

// The head, if all of it is here; an error when it never will be one.
Result<std::optional<UpstreamHead>> Forwarding::find_head() {
  Buffer& in = connection_->in;
  if (in.empty() && !to_.http2) return std::optional<UpstreamHead>();
  Result<std::optional<UpstreamHead>> head = protocol_.read_head(in);
  const bool too_big = head && !*head && in.size() >= static_cast<std::size_t>(*conf_.buffer_size);
  if (head && !too_big) return head;
  log(Level::error, too_big ? "upstream sent too big header" : protocol_.complaint());
  failure_.refused = !too_big && to_.http2 && to_.http2->was_refused();
  failure_.why = failure_.refused ? next_upstream::error : next_upstream::invalid_header;
  return Errc::bad_request;
}

// Until more has come. The time for the answer runs from the end of the upload.
Task<Result<void>> Forwarding::wait_for_head(Io io) {
  if (client_error_) co_return client_error_;
  if (send_error_ == Errc::timed_out) {
    doing_ = "sending request to upstream";
    failure_.why = next_upstream::timeout;
    co_return send_error_;
  }
  const Deadline deadline = sending_ ? Deadline::never(Wait::upstream_read) : Deadline::in(read_timeout(), Wait::upstream_read);
  const Errc waited = co_await UpstreamWait(*connection_, io, deadline);
  if (waited == Errc::ok) co_return Result<void>();
  if (waited == Errc::timed_out) distrust();
  failure_.why = next_upstream::timeout;
  co_return waited;
}

// 103 Early Hints, to a client that is to have them.
Task<void> Forwarding::pass_hints(UpstreamHead hints) {
  for (const Field& field : hints.headers.all()) hints_size_ += field.name.size() + field.value.size() + 4;
  if (hints_size_ > static_cast<std::size_t>(*conf_.buffer_size)) {
    log(Level::info, "upstream sent too big early hints");
    co_return;
  }
  Headers fields;
  const EndedFields ended(hints.headers);
  for (const Field& field : hints.headers.all())
    if (!is_hop_by_hop(field.id) && !ended.has(field) && !conf_.hides(field)) fields.add(field.name, field.value);
  if (own_attempts_ || fields.all().empty() || !passes_early_hints(x_)) co_return;
  const Result<void> told = co_await x_.informer->inform(x_, 103, fields);
  if (!told) client_error_ = told.error();
}

Task<Result<UpstreamHead>> Forwarding::read_head() {
  doing_ = "reading response header from upstream";
  for (;;) {
    Result<std::optional<UpstreamHead>> head = find_head();
    if (!head) co_return head.error();
    if (*head && (*head)->status == 103) {
      co_await pass_hints(std::move(**head));
      if (client_error_) co_return client_error_;
      continue;
    }
    if (*head) co_return std::move(**head);
    const Io io = connection_->try_read(room());
    if (io.kind == Io::done) {
      connection_->in.commit(io.n);
      attempts_.all[attempt_].bytes_received += io.n;
      continue;
    }
    if (io.kind == Io::eof || io.kind == Io::failed) {
      if (io.kind == Io::eof) log(Level::error, "upstream prematurely closed connection");
      else log_failed("recv()", error_of(io));
      failure_.why = next_upstream::error;
      failure_.unreachable = true;
      co_return error_of(io);
    }
    const Result<void> more = co_await wait_for_head(io);
    if (!more) co_return more.error();
  }
}

bool Forwarding::ends_upload(const UpstreamHead& head) const {
  const bool redirects = head.headers.has(FieldId::x_accel_redirect) && !(*conf_.ignore_headers & ignored::redirect);
  const bool stale = has_stale_ && (head.status == 304 || (*conf_.cache_use_stale & why_next(head.status)) != 0);
  return redirects || stale || head.status == 101 || (head.status >= 300 && is_intercepted(head.status));
}

bool Forwarding::answer(UpstreamHead head, Outcome& outcome) {
  attempts_.head = std::move(head);
  const int status = attempts_.head.status;
  attempts_.all[attempt_].status = status;
  last_read_ = x_.loop.now();
  doing_ = "reading upstream";
  if (status == 101 && (!protocol_.has_switched() || !sent_)) {
    // Nobody else is asked, and no page is sent: a client of HTTP/1 might take what follows for the protocol it asked for.
    log(Level::error, "upstream sent unexpected status 101");
    end_attempt(Tried::done);
    x_.upstream.clear();
    outcome = Response(502, Body(Slice()));
    return true;
  }
  if (status >= 300 && asks_next(status)) return false;
  end_wait();
  if (!attempts_.only && peer_ != chosen_.get()) choice_.heard(*peer_, attempts_.all[attempt_].header_time);
  if (status >= 300) {
    if (use_stale(why_next(status), true, outcome) || use_unchanged(outcome)) return true;
    if (is_intercepted(status)) {
      intercept(status, outcome);
      return true;
    }
  }
  take_rate();
  take_charset();
  if (!follow_accel(outcome)) make_response(outcome);
  return true;
}

// X-Accel-Limit-Rate: goes before what the location says, also where another location answers.
void Forwarding::take_rate() {
  const Field* rate = attempts_.head.headers.find(FieldId::x_accel_limit_rate);
  if (!rate || (*conf_.ignore_headers & ignored::limit_rate)) return;
  const auto bytes = parse_decimal(rate->value);
  if (bytes && *bytes <= INT64_MAX) x_.main().limit_rate = static_cast<std::int64_t>(*bytes);
}

void Forwarding::take_charset() {
  const Field* charset = attempts_.head.headers.find(FieldId::x_accel_charset);
  if (charset && !(*conf_.ignore_headers & ignored::charset)) tell_charset(x_, charset->value);
}

bool Forwarding::asks_next(int status) {
  const unsigned why = why_next(status);
  if (!why || !allows(why, 2)) return false;
  failure_.why = why;
  failure_.status = status;
  return true;
}

bool Forwarding::is_intercepted(int status) const {
  if (!*conf_.intercept_errors) return false;
  const auto& pages = *x_.core().error_pages;
  return std::any_of(pages.begin(), pages.end(), [status](const ErrorPage& page) { return page.code == status; });
}

// An answer without a body: error_page has one, and keeps the way to come in of a 401.
void Forwarding::intercept(int status, Outcome& outcome) {
  Response& response = outcome.emplace<Response>(status);
  if (status == 401) {
    for (const Field& field : attempts_.head.headers.all())
      if (field.id == FieldId::www_authenticate) response.headers.add(field.name, field.value);
  }
  remember_error(status, &attempts_.head);
  take_apart();
  if (connection_) end_attempt(Tried::done);
  x_.upstream.clear();
}

// X-Accel-Redirect: another location answers, with some of what this one said.
bool Forwarding::follow_accel(Outcome& outcome) {
  const Field* to = attempts_.head.headers.find(FieldId::x_accel_redirect);
  if (!to || (*conf_.ignore_headers & ignored::redirect)) return false;
  x_.kept_fields.clear();
  for (const Field& field : attempts_.head.headers.all())
    if (goes_with_file(field)) x_.kept_fields.add(field.name, field.value);
  const std::string uri(to->value);
  take_apart();
  if (connection_) end_attempt(Tried::done);
  x_.upstream.clear();
  if (uri.starts_with('@')) {
    outcome = Internal(uri);
    return true;
  }
  const auto question = uri.find('?');
  if (const std::optional<std::string> path = safe_path(std::string_view(uri).substr(0, question))) {
    Internal internal(*path, question == std::string::npos ? std::string() : uri.substr(question + 1));
    internal.keep_method = false;
    outcome = std::move(internal);
  } else {
    x_.log(Level::error, "unsafe URI \"" + uri + "\" was detected");
    outcome = Response(404);
  }
  return true;
}

void Forwarding::copy_field(const Field& field, Response& response) {
  std::string value;
  const bool rewritable = field.id == FieldId::location || field.id == FieldId::set_cookie || equals_ignoring_case(field.name, "Refresh");
  if (rewritable && protocol_.rewrite(field, value)) {
    response.headers.add(field.name, value);
    return;
  }
  response.headers.add_view(field.name, field.value, field.id);
}

void Forwarding::copy_fields(Response& response) {
  const EndedFields ended(attempts_.head.headers);
  for (const Field& field : attempts_.head.headers.all()) {
    if (field.id == FieldId::upgrade ? !switched_ : is_hop_by_hop(field.id)) continue;
    if (ended.has(field) || conf_.hides(field)) continue;
    if (field.id == FieldId::accept_ranges && (*conf_.force_ranges || asked_for_all_ || from_cache_)) continue;
    if (counts_once(field.id) && attempts_.head.headers.find(field.id) != &field) {
      log(Level::warn, "upstream sent duplicate header line: \"" + std::string(field.name) + ": " + std::string(field.value) + "\", ignored");
      continue;
    }
    if (field.id == FieldId::last_modified) response.last_modified = parse_http_date(field.value);
    if (field.id != FieldId::set_cookie && !x_.kept_fields.empty()) x_.kept_fields.remove(field.name);
    copy_field(field, response);
  }
  // *_pass_header Date, Server: the field is the upstream's alone. An empty value: no field at all, nor one of ours.
  for (const std::string& name : *conf_.pass_headers) {
    const FieldId id = field_id(name);
    const bool written_by_us = id == FieldId::date || id == FieldId::server;
    if (written_by_us && !conf_.hides(name) && !response.headers.has(id)) response.headers.add_view(name, "", id);
  }
}

// The cookie that brings the client back to this server.
void Forwarding::stick(Response& response) {
  if (!to_.group->sticky || attempts_.only || peer_ == chosen_.get()) return;
  const std::string cookie = to_.group->sticky->cookie_for(x_, *peer_->peer);
  if (!cookie.empty()) response.headers.add("Set-Cookie", cookie);
}

// A tunnel may last for days: its head is no reason to keep the block that it was read into.
void Forwarding::copy_head() {
  Headers copies;
  for (const Field& field : attempts_.head.headers.all()) copies.add(field.name, field.value);
  attempts_.head.headers = std::move(copies);
  attempts_.head.storage = {};
}

void Forwarding::make_response(Outcome& outcome) {
  switched_ = protocol_.has_switched();
  if (switched_) copy_head();
  no_more_attempts();
  const Headers& headers = attempts_.head.headers;
  attempts_.answers = true;
  Response& response = outcome.emplace<Response>(attempts_.head.status);
  response.conditions_met = !asked_for_all_;
  response.pinned = attempts_.head.storage;
  copy_fields(response);
  stick(response);
  if (is_event_stream(headers.get(FieldId::content_type))) buffering_ = false;
  if (const Field* field = headers.find(FieldId::x_accel_buffering); field && !(*conf_.ignore_headers & ignored::buffering)) {
    if (equals_ignoring_case(field->value, "no")) buffering_ = false;
    if (equals_ignoring_case(field->value, "yes")) buffering_ = true;
  }
  if (!conf_.limit_rate->empty()) rate_ = size_of(conf_.limit_rate->eval(x_)).value_or(0);
  rate_from_ = x_.loop.now();
  if (switched_) {
    doing_ = "proxying upgraded connection";
    response.body = std::unique_ptr<Tunnel>(new UpstreamTunnel(shared_from_this()));
    return;
  }
  const bool has_ranges = *conf_.force_ranges || (asked_for_all_ && headers.has(FieldId::accept_ranges));
  response.accept_ranges = has_ranges && attempts_.head.length && response.status == 200;
  begin_to_keep();
  forget_changed();
  begin_to_store();
  response.body = make_body();
}

// A body that is here in full already is given as it is, and the connection is free.
Body Forwarding::make_body() {
  length_ = attempts_.head.length;
  if (x_.request.method == Method::head) {
    take_apart();
    return std::unique_ptr<Reader>(new UpstreamBody(shared_from_this()));
  }
  if (rate_ == 0 || connection_->in.empty()) take_apart();  // an empty body is over now
  if (to_.http2 && !ended_ && !broken_) pull();               // ... and what came with the head is here
  if (ended_ && queue_.size() <= 1 && (attempts_.trailers.empty() || !*conf_.pass_trailers)) {
    Slice all;
    if (!queue_.empty()) all = queue_.pop();
    return all;
  }
  return std::unique_ptr<Reader>(new UpstreamBody(shared_from_this()));
}

}  // namespace seawall
