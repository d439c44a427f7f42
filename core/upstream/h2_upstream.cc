#include "seawall/upstream/h2_upstream.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>

#include "seawall/base/check.h"
#include "seawall/net/loop.h"
#include "seawall/upstream/h2_pool.h"

namespace seawall {
namespace {

// What a request's response may hold of our memory before it is read.
constexpr std::uint32_t kStreamWindow = 128 * 1024;
// Whatever a server allows: one broken connection is not to take more with it.
constexpr std::uint32_t kMostStreams = 128;
constexpr std::string_view kHttp1 = "HTTP/1.";

}  // namespace

void H2Upstream::SessionEnd::operator()(nghttp2_session* session) const { nghttp2_session_del(session); }

H2Upstream::H2Upstream(Loop& loop, std::unique_ptr<Stream> stream, H2UpstreamUse use, H2Pool* pool)
    : loop_(loop), stream_(std::move(stream)), use_(std::move(use)), pool_(pool), session_(make_h2_upstream_session(*this)),
      started_(loop.now()), idle_since_(started_), heard_(started_) {
  CHECK(session_);
  greet();
}

H2Upstream::~H2Upstream() { CHECK(requests_.empty()); }

// The window of the connection is as large as it gets: each request has one of its own, so that one which is not read holds up no
// other.
void H2Upstream::greet() {
  const std::array<nghttp2_settings_entry, 2> settings{{
      {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindow},
  }};
  CHECK(nghttp2_submit_settings(session(), NGHTTP2_FLAG_NONE, settings.data(), settings.size()) == 0);
  CHECK(nghttp2_session_set_local_window_size(session(), NGHTTP2_FLAG_NONE, 0, 0x7fffffff) == 0);
}

Task<void> H2Upstream::run(std::shared_ptr<H2Upstream> self) {
  Scope& outer = co_await current_scope();
  Scope writing(&outer);
  writing.spawn(self->write());
  co_await self->read();
  self->leave_pool();
  self->lose_requests();
  if (!self->broken_) nghttp2_session_terminate_session(self->session(), NGHTTP2_NO_ERROR);
  self->stopping_ = true;
  self->wake_.set();
  self->stream_->socket().interrupt(Socket::writing, Errc::cancelled);
  co_await writing.join();
  self->stream_->end();
}

// ---- reader ---------------------------------------------------------------------------------------------------------

bool H2Upstream::finished() const {
  return broken_ || (retired_ && requests_.empty()) || !nghttp2_session_want_read(session());
}

Deadline H2Upstream::deadline() const {
  if (!requests_.empty()) return Deadline::never(Wait::upstream_read);  // theirs hold
  return Deadline::at(idle_since_ + std::chrono::nanoseconds(use_.longest_idle).count(), Wait::idle);
}

Task<void> H2Upstream::read() {
  while (!finished()) {
    const Io io = read_now();
    if (finished()) break;
    Errc waited = Errc::ok;
    if (io.kind == Io::want_read) {
      waited = co_await stream_->socket().wait(Socket::reading, deadline());
    } else if (io.kind == Io::want_write) {  // TLS answers something of its own: the writer waits for room
      reader_wants_write_ = true;
      writable_.reset();
      wake_.set();
      waited = co_await writable_.wait(deadline());
    } else {
      lose(error_of(io));
    }
    if (waited == Errc::cancelled) lose(Errc::cancelled);
    if (waited == Errc::timed_out && requests_.empty() && deadline().passed()) retire();
  }
}

// All that is there now.
Io H2Upstream::read_now() {
  for (;;) {
    const auto room = loop_.scratch();
    const Io io = stream_->try_read(room);
    if (io.kind != Io::done) return io;
    heard_ = loop_.now();
    feed({room.data(), io.n});
    if (finished()) return Io::wants_read();
  }
}

void H2Upstream::feed(std::string_view bytes) {
  if (first_bytes_.size() < kHttp1.size()) {
    first_bytes_.append(bytes.substr(0, kHttp1.size() - first_bytes_.size()));
    if (first_bytes_ == kHttp1) return break_off("upstream sent an HTTP/1 response to an HTTP/2 request");
  }
  const ssize_t n = nghttp2_session_mem_recv(session(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (n < 0) break_off(std::string("upstream broke HTTP/2: ") + nghttp2_strerror(static_cast<int>(n)));
  if (nghttp2_session_want_write(session())) wake_.set();
}

void H2Upstream::wake_reader() {
  stream_->socket().interrupt(Socket::reading, Errc::ok);
  writable_.set();
}

// ---- writer ---------------------------------------------------------------------------------------------------------

Task<void> H2Upstream::write() {
  for (;;) {
    wake_.reset();
    const bool out = co_await flush();
    if (!out) lose(Errc::peer_reset);
    if (!out || !nghttp2_session_want_read(session())) wake_reader();
    if (!out || stopping_) co_return;
    const Errc waited = co_await wake_.wait(Deadline::never(Wait::upstream_send));
    if (waited != Errc::ok) co_return;
  }
}

// All that there is to send now. The wait for room has no deadline of its own: requests have theirs, and without requests the
// connection is not kept for long.
Task<bool> H2Upstream::flush() {
  for (;;) {
    Io io = Io::of(0);
    if (!outbox_.send(session(), *stream_, false, {}, io)) co_return false;
    if (io.kind == Io::done) io = stream_->try_flush();
    if (io.kind == Io::done && !reader_wants_write_) co_return true;
    if (io.kind != Io::done && io.kind != Io::want_write) co_return false;
    if (stopping_) co_return true;
    const Errc waited = co_await stream_->socket().wait(Socket::writing, Deadline::never(Wait::upstream_send));
    if (waited != Errc::ok) co_return waited == Errc::cancelled && stopping_;
    if (std::exchange(reader_wants_write_, false)) writable_.set();
  }
}

// ---- ends -----------------------------------------------------------------------------------------------------------

void H2Upstream::break_off(std::string why) {
  if (complaint_.empty()) complaint_ = std::move(why);
  lose(Errc::bad_request);
}

void H2Upstream::lose(std::error_code error) {
  if (broken_) return;
  broken_ = true;
  error_ = error;
}

void H2Upstream::lose_requests() {
  if (!error_ && complaint_.empty()) complaint_ = "upstream broke HTTP/2";  // nghttp2 has seen to it
  for (H2Request* request : std::exchange(waiting_, {})) request->finish(H2End::refused, "upstream refused the request");
  for (const auto& [id, request] : requests_) {
    if (request->end_ != H2End::none) continue;
    if (request->sent_wire_ == 0) request->finish(H2End::refused, "upstream refused the request");  // it has not left us
    else if (!complaint_.empty()) request->finish(H2End::failed, complaint_);
    else request->finish(H2End::lost, {}, error_);
  }
}

void H2Upstream::leave_pool() {
  pool_ = nullptr;
  retired_ = true;
  unlink();
}

void H2Upstream::retire() {
  if (retired_) return;
  leave_pool();
  if (requests_.empty()) wake_reader();
}

bool H2Upstream::may_stay() const {
  return pool_ && !retired_ && !broken_ && !loop_.stopping() && begun_ < use_.most_requests &&
         loop_.now() - started_ <= std::chrono::nanoseconds(use_.longest_life).count();
}

// ---- requests -------------------------------------------------------------------------------------------------------

bool H2Upstream::has_room() const {
  const std::uint32_t limit =
      std::min(nghttp2_session_get_remote_settings(session(), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS), kMostStreams);
  return may_stay() && requests_.size() < limit && nghttp2_session_check_request_allowed(session());
}

H2Request* H2Upstream::find(std::int32_t id) const {
  const auto found = requests_.find(id);
  return found == requests_.end() ? nullptr : found->second;
}

void H2Upstream::resume(H2Request& request) {
  if (request.closed_ || request.id_ < 0) return;
  if (std::exchange(request.deferred_, false)) nghttp2_session_resume_data(session(), request.id_);
  wake_.set();
}

void H2Upstream::give_back_window(H2Request& request, std::size_t size) {
  if (request.closed_ || size == 0) return;
  nghttp2_session_consume_stream(session(), request.id_, size);
  if (nghttp2_session_want_write(session())) wake_.set();
}

void H2Upstream::reset(H2Request& request, std::uint32_t code) {
  if (request.closed_ || request.id_ < 0) return;
  nghttp2_submit_rst_stream(session(), NGHTTP2_FLAG_NONE, request.id_, code);
  wake_.set();
}

// The server's own settings have come.
void H2Upstream::hear_settings() {
  if (std::exchange(knows_settings_, true)) return;
  for (H2Request* request : std::exchange(waiting_, {})) submit_tunnel(*request);
}

void H2Upstream::submit_tunnel(H2Request& request) {
  if (!knows_settings_ && !stopping_ && !broken_) return waiting_.push_back(&request);
  const Headers fields = std::move(request.tunnel_fields_);
  if (nghttp2_session_get_remote_settings(session(), NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1) return submit(request, fields, true);
  request.finish(H2End::failed, "upstream takes no WebSocket over HTTP/2");
}

void H2Upstream::leave(H2Request& request) {
  std::erase(waiting_, &request);
  if (request.id_ < 0) return;
  if (!stopping_ && request.end_ != H2End::failed) reset(request, NGHTTP2_CANCEL);  // one that has failed was reset then
  requests_.erase(request.id_);
  if (!requests_.empty()) return;
  idle_since_ = loop_.now();
  if (may_stay()) pool_->became_idle(*this);
  else leave_pool();
  wake_reader();  // its time is another one now
}

}  // namespace seawall
