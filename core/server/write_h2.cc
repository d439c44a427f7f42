#include "seawall/server/write_h2.h"

#include <algorithm>
#include <string>
#include <utility>

#include "seawall/http/date.h"
#include "seawall/net/loop.h"
#include "seawall/server/connection.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/deadline_after.h"
#include "seawall/server/earned_time.h"
#include "seawall/server/failures.h"
#include "seawall/server/h2_connection.h"
#include "seawall/server/h2_fields.h"
#include "seawall/server/h2_stream.h"
#include "seawall/server/pace.h"
#include "seawall/server/read_piece.h"
#include "seawall/server/server_name.h"

namespace seawall {
namespace {

class H2Writer {
 public:
  H2Writer(H2Connection& h, H2Stream& s, Exchange& x, bool paced) : h_(h), s_(s), x_(x) {
    if (!paced) return;
    pace_ = Pace::of(x);
    if (pace_) s_.allowance = 0;
  }

  void submit_head(const Response& response, H2Followed by) { submit_h2_head(h_, s_, x_, response, by); }
  // Until what was given is out: all of it, END_STREAM included, where it was the last.
  Task<Result<void>> wait();
  Task<Result<void>> send_reader(const Response& response, Reader& reader);

 private:
  bool is_out() const { return s_.output.last() ? s_.end_sent : s_.output.left() == 0; }
  Deadline deadline(std::int64_t from) const;
  void timed_out();
  void resume() { resume_h2_output(h_, s_); }
  bool may_go();

  H2Connection& h_;
  H2Stream& s_;
  Exchange& x_;
  std::int64_t blocked_ = 0;  // ns spent waiting for the client
  std::optional<Pace> pace_;
  std::uint64_t counted_ = 0;  // of s_.sent_size, by pace_
};

Deadline H2Writer::deadline(std::int64_t from) const {
  const CoreConf& core = x_.core();
  const std::int64_t since = std::max(from, s_.progress);
  const Deadline until = deadline_after(since, h_.c.send_timeout(core), Wait::send).earlier(x_.last_deadline(Wait::send));
  const std::int64_t rate = *core.send_min_rate;
  if (rate <= 0) return until;
  return until.earlier(Deadline::at(from + allowed_time(s_.sent_size, rate) - blocked_, Wait::send));
}

// The others on this connection go on.
void H2Writer::timed_out() {
  h_.c.server.count_timeout(Wait::send);
  h_.c.server.count_abuse(H2Abuse::window_stall);
  x_.log(failed(*x_.vhost, Failure::timeout_send), "client timed out while sending response to client");
}

// False while limit_rate lets nothing go.
bool H2Writer::may_go() {
  if (!pace_ || s_.output.left() == 0) return true;
  pace_->sent(s_.sent_size - counted_);
  counted_ = s_.sent_size;
  s_.allowance = pace_->allowance(x_.loop.now(), s_.output.left());
  if (s_.allowance > 0) resume();
  return s_.allowance > 0;
}

// Time in which limit_rate holds the bytes back is not the client's.
Task<Result<void>> H2Writer::wait() {
  std::int64_t from = x_.loop.now();
  Result<void> done;
  while (!is_out()) {
    if (s_.closed) {
      done = Errc::peer_reset;
      break;
    }
    s_.sent.reset();
    const bool held = !may_go();
    Deadline until = deadline(from);
    if (held) {
      blocked_ += x_.loop.now() - from;
      until = Deadline::at(pace_->due(x_.loop.now(), s_.output.left()), Wait::send).earlier(x_.last_deadline(Wait::send));
    }
    const Errc waited = co_await s_.sent.wait(until);
    if (held) from = x_.loop.now();
    if (waited == Errc::ok) continue;
    // Progress is not told each time: looked at when the time seems to be over.
    const bool over = held ? x_.last_deadline(Wait::send).passed() : deadline(from).passed();
    if (waited == Errc::timed_out && !over) continue;
    if (waited == Errc::timed_out) timed_out();
    done = waited;
    break;
  }
  blocked_ += x_.loop.now() - from;
  co_return done;
}

// A pulled body; the pieces must add up to a length that was announced.
Task<Result<void>> H2Writer::send_reader(const Response& response, Reader& reader) {
  std::uint64_t total = 0;
  bool submitted = false;
  for (bool last = false; !last;) {
    Result<Piece> piece = co_await read_piece(h_.c.server, x_, reader, s_.working);
    if (s_.closed) co_return Errc::peer_reset;
    if (!piece) co_return piece.error();
    last = piece->last;
    const std::size_t size = piece->data.size();
    total += size;
    const auto& length = x_.sent_content_length;
    if (length && (total > *length || (last && total < *length))) co_return Errc::truncated;
    if (last) x_.sent_trailers = reader.trailers();
    s_.output.give(std::move(piece->data), last);
    if (!submitted) {
      const bool trailers_only = last && size == 0 && !x_.sent_trailers.empty();
      submit_head(response, trailers_only ? H2Followed::trailers : H2Followed::output);
      x_.end_handler_clock();
      submitted = true;
    } else if (!pace_ || size == 0) {
      resume();
    }
    if (size == 0 && !last) continue;
    Result<void> out = co_await wait();
    if (!out) co_return out;
  }
  co_return Result<void>();
}

}  // namespace

void submit_h2_head(H2Connection& h, H2Stream& s, Exchange& x, const Response& response, H2Followed by) {
  const std::string status = std::to_string(response.status);
  std::string length;
  H2Fields fields;
  fields.add(":status", status);
  if (!response.headers.has(FieldId::server)) fields.add("server", server_field(x));
  if (!response.headers.has(FieldId::date)) fields.add("date", current_date());
  fields.add_all(response.headers);
  if (x.sent_content_length) {
    length = std::to_string(*x.sent_content_length);
    fields.add("content-length", length);
  }
  if (by == H2Followed::trailers) {
    nghttp2_submit_headers(h.session(), NGHTTP2_FLAG_NONE, s.id, nullptr, fields.data(), fields.size(), nullptr);
    H2Fields trailers;
    trailers.add_all(x.sent_trailers);
    nghttp2_submit_trailer(h.session(), s.id, trailers.data(), trailers.size());
  } else {
    const nghttp2_data_provider output = h2_output_of(s);
    nghttp2_submit_response(h.session(), s.id, fields.data(), fields.size(), by == H2Followed::output ? &output : nullptr);
  }
  h.wake_writer();
}

void resume_h2_output(H2Connection& h, H2Stream& s) {
  if (!std::exchange(s.deferred, false)) return;
  nghttp2_session_resume_data(h.session(), s.id);
  h.wake_writer();
}

Task<bool> write_h2(H2Connection& h, H2Stream& s, Exchange& x, Response& response) {
  x.status = response.status;
  x.response = &response;
  if (may_have_body(response.status)) x.sent_content_length = length_of(response.body);
  if (!carries_body(x.request.method, response.status)) response.body = Body();
  H2Writer writer(h, s, x, !std::holds_alternative<std::monostate>(response.body));
  Result<void> sent;
  if (auto* reader = std::get_if<std::unique_ptr<Reader>>(&response.body)) {
    sent = co_await writer.send_reader(response, **reader);
  } else {
    if (auto* bytes = std::get_if<Slice>(&response.body)) s.output.give(std::move(*bytes), true);
    else if (auto* part = std::get_if<FilePart>(&response.body)) s.output.give(*part);
    else s.output.give(Slice(), true);
    writer.submit_head(response, s.output.left() > 0 ? H2Followed::output : H2Followed::nothing);
    sent = co_await writer.wait();
  }
  x.bytes_sent = s.sent_wire;
  x.body_bytes_sent = s.sent_size;
  x.completed = sent.has_value();
  if (sent) co_return true;
  if (sent.error() != Errc::timed_out && sent.error() != Errc::cancelled)
    x.log(s.closed ? failed(*x.vhost, Failure::reset_send) : Level::info, describe(sent.error()) + " while sending response to client");
  co_return false;
}

}  // namespace seawall
