#include "seawall/server/h2_connection.h"

#include <nghttp2/nghttp2.h>

#include <array>
#include <new>

#include "seawall/base/check.h"
#include "seawall/net/loop.h"
#include "seawall/server/connection.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/deadline_after.h"
#include "seawall/server/failures.h"
#include "seawall/server/h2_batch.h"
#include "seawall/server/h2_stream.h"
#include "seawall/server/h2_weights.h"
#include "seawall/server/server_name.h"
#include "seawall/server/vhost.h"

namespace seawall {
namespace {

// nghttp2 ends the connection for one stream over the limit that it knows; RFC 9113 5.1.2 and nginx refuse the stream. So
// it is told of a higher one, which nobody reaches, and the frame that goes out says the real one.
constexpr std::uint32_t kBeyondReach = 0x7fffffff;

// For the client to answer the announcement of the end.
constexpr Milliseconds kAnnounced{3000};
// Idle for so long, a connection has hardly a request on its way.
constexpr std::int64_t kQuiet = 100'000'000;  // ns
// nginx takes 16 MiB; no more than this of a frame that nghttp2 holds whole (GOAWAY) is to be ours to keep.
constexpr std::uint32_t kLargestFrame = 128 * 1024;

void write_number(char* to, std::uint32_t number) {
  for (int i = 0; i < 4; ++i) to[i] = static_cast<char>(number >> (24 - 8 * i));
}

void say_limit(std::string& settings, std::uint32_t streams) {
  for (std::size_t at = H2Batch::kFrameHead; at + 6 <= settings.size(); at += 6)
    if (settings[at] == 0 && settings[at + 1] == NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
      write_number(&settings[at + 2], streams);
}

// What a frame costs of its budget; most cost none.
std::optional<H2Abuse> cost_of(const H2FrameHead& head) {
  const bool ack = (head.flags & NGHTTP2_FLAG_ACK) != 0;  // END_STREAM of DATA
  switch (head.type) {
    case NGHTTP2_DATA: case NGHTTP2_CONTINUATION:
      if (head.length == 0 && !(head.type == NGHTTP2_DATA && ack)) return H2Abuse::empty_frame_flood;
      return std::nullopt;
    case NGHTTP2_HEADERS: return std::nullopt;
    case NGHTTP2_PRIORITY: case NGHTTP2_PRIORITY_UPDATE: return H2Abuse::priority_flood;
    case NGHTTP2_RST_STREAM: return H2Abuse::rapid_reset;
    case NGHTTP2_SETTINGS: return H2Abuse::settings_flood;  // an ACK nobody waits for is an error of its own
    case NGHTTP2_PING:
      if (ack) return H2Abuse::unknown_flood;  // we ask for one at most
      return H2Abuse::ping_flood;
    case NGHTTP2_WINDOW_UPDATE: return H2Abuse::window_flood;
    default: return H2Abuse::unknown_flood;
  }
}

}  // namespace

void H2Connection::SessionEnd::operator()(nghttp2_session* session) const { nghttp2_session_del(session); }

H2Connection::H2Connection(Connection& connection)
    : c(connection), conf_(*c.vhost->http2), session_(make_h2_session(*this)),
      head_reader_(c.vhost->head_limits, c.vhost->head_options), idle_since_(c.server.loop.now()) {
  if (!session_) throw std::bad_alloc();
  c.server.drained.push_back(*this);
  c.h2 = this;
}

H2Connection::~H2Connection() {
  c.h2 = nullptr;
  unlink();
  while (H2Stream* stream = fresh_.pop_front()) delete stream;
  while (H2Stream* stream = streams_.pop_front()) delete stream;
}

// Our preface. The window of the connection is as large as it gets: each stream has one of its own, so that one that is
// not read holds up no other.
void H2Connection::greet() {
  const auto list_size = static_cast<std::uint32_t>(std::min<std::size_t>(c.vhost->head_limits.total(), 0x7fffffff));
  const std::array<nghttp2_settings_entry, 6> settings{{
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, kBeyondReach},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, static_cast<std::uint32_t>(*conf_.body_preread_size)},
      {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, kLargestFrame},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, list_size},
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
      {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
  }};
  CHECK(nghttp2_submit_settings(session(), NGHTTP2_FLAG_NONE, settings.data(), settings.size()) == 0);
  const std::uint8_t* frame = nullptr;
  const ssize_t size = nghttp2_session_mem_send(session(), &frame);
  CHECK(size > 0);
  std::string first(reinterpret_cast<const char*>(frame), static_cast<std::size_t>(size));
  say_limit(first, static_cast<std::uint32_t>(*conf_.max_concurrent_streams));
  outbox_.begin_with(first);
  CHECK(nghttp2_session_set_local_window_size(session(), NGHTTP2_FLAG_NONE, 0, 0x7fffffff) == 0);
}

Task<void> H2Connection::run() {
  Scope& outer = co_await current_scope();
  Scope tasks(&outer), writing(&outer);
  scope_ = &outer;
  tasks_ = &tasks;
  writing_ = &writing;
  c.enter(ConnState::h2);
  c.head_clock.start(c.header_timeout(*c.core));
  greet();
  if (c.server.draining()) announce_end();
  writing.spawn(write());
  co_await read();
  abandon_all();
  co_await tasks.join();
  stopping_ = true;
  wake_.set();
  co_await writing.join();
  if (outer.cancelled()) say_farewell();
}

void H2Connection::each_stream(const std::function<void(const H2Stream&)>& visit) {
  for (H2Stream* stream = streams_.front(); stream; stream = streams_.next(*stream)) visit(*stream);
}

// ---- reader ---------------------------------------------------------------------------------------------------------

bool H2Connection::finished() const {
  return broken_ || closing_ || (going_away_ && active_ == 0) || !nghttp2_session_want_read(session());
}

Task<void> H2Connection::read() {
  feed(c.in.view());
  c.in.consume(c.in.size());
  c.in.release();
  start_streams();
  while (!finished()) {
    const Io io = read_now();
    if (finished()) break;
    if (io.kind != Io::want_read) {
      broken_ = true;
      if (io.kind == Io::failed && io.error == 0 && c.info.tls) c.log(Level::info, c.info.tls->error_text() + " while reading client's frames");
      else c.log(Level::info, active_ > 0 ? "client prematurely closed connection" : "client closed connection");
      break;
    }
    if (active_ == 0 && greeted_ && !announced_ && c.state() != ConnState::idle) c.become_idle();
    const Errc waited = co_await c.stream->socket().wait(Socket::reading, deadline());
    if (waited == Errc::timed_out && timed_out()) break;
    if (waited != Errc::cancelled) continue;
    if (scope_->cancelled()) break;
    if (c.abrupt && active_ == 0) go_away(NGHTTP2_NO_ERROR);  // its place is needed
  }
  if (c.state() == ConnState::idle) c.enter(ConnState::h2);
}

// All that is there now.
Io H2Connection::read_now() {
  for (;;) {
    const auto room = c.server.loop.scratch();
    const Io io = c.stream->try_read(room);
    if (io.kind != Io::done) return io;
    feed({room.data(), io.n});
    start_streams();
    if (finished()) return Io::wants_read();
  }
}

void H2Connection::feed(std::string_view bytes) {
  if (bytes.empty()) return;
  if (outbox_.empty()) c.relax_user_timeout();
  if (preface_read_) return receive(bytes);
  const std::optional<std::string> first = preface_.feed(bytes);
  if (preface_.wrong()) return refuse_session("invalid connection preface", NGHTTP2_PROTOCOL_ERROR);
  if (!first) return;
  preface_read_ = true;
  ack_withheld_ = preface_.completed();
  const std::string_view all = *first;
  pass(all.substr(0, kH2Preface.size()));
  receive(all.substr(kH2Preface.size()));
}

// Each frame has its price. Before the payload of DATA nghttp2 must have seen all that came before, so that it knows whether
// its stream is open.
void H2Connection::receive(std::string_view bytes) {
  std::size_t passed = 0, at = 0;
  while (const auto head = heads_.next(bytes, at)) {
    if (const auto cost = cost_of(*head); cost && !budgets_.spend(*cost, c.server.loop.now())) abused(*cost);
    if (head->type == NGHTTP2_PUSH_PROMISE) return refuse_session("client sent PUSH_PROMISE frame", NGHTTP2_PROTOCOL_ERROR);
    if (head->type != NGHTTP2_DATA) continue;
    pass(bytes.substr(passed, at - passed));
    passed = at;
    check_stream_id(head->stream, false);
    if (closing_) return;
  }
  pass(bytes.substr(passed));
  if (heads_.ended_block()) head_since_ = 0;  // nghttp2 does not tell the end of one that is for nobody
}

void H2Connection::pass(std::string_view bytes) {
  if (closing_) return;
  const ssize_t n = nghttp2_session_mem_recv(session(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (n == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS) abused(H2Abuse::continuation_flood);
  else if (n == NGHTTP2_ERR_FLOODED) abused(H2Abuse::settings_flood);
  else if (n < 0) refuse_session(nghttp2_strerror(static_cast<int>(n)), NGHTTP2_INTERNAL_ERROR);
  if (nghttp2_session_want_write(session())) wake_writer();
}

void H2Connection::start_streams() {
  while (H2Stream* stream = fresh_.pop_front()) {
    if (c.state() != ConnState::h2) c.enter(ConnState::h2);
    streams_.push_back(*stream);
    stream->begun = true;
    tasks_->spawn(serve_h2_stream(*this, *stream));
  }
}

// A connection has few clocks of its own: the preface, a header block (nothing else may come before its end), and idleness.
// All others are the streams'.
Deadline H2Connection::deadline() const {
  const CoreConf& core = *c.core;
  if (announced_ && !going_away_) return deadline_after(announced_, kAnnounced, Wait::drain);
  if (!greeted_) return c.head_clock.next();
  if (head_since_) return deadline_after(head_since_, c.header_timeout(core), Wait::header);
  if (active_ > 0) return Deadline::never(Wait::idle);
  const Milliseconds idle = c.server.draining() ? *core.keepalive_min_timeout : core.keepalive_timeout->timeout;
  return deadline_after(idle_since_, idle.count() > 0 ? idle : c.header_timeout(core), Wait::idle);
}

// True when the time is really over: streams that begin and end move it.
bool H2Connection::timed_out() {
  const Deadline now = deadline();
  if (!now.passed()) return false;
  if (now.wait() == Wait::drain) {
    go_away(NGHTTP2_NO_ERROR);
    return false;
  }
  if (!greeted_) return greeting_is_late();
  if (now.wait() == Wait::header && building_ != 0) {
    give_up_head();
    return false;
  }
  if (now.wait() == Wait::header) {
    c.time_out(Wait::header, *c.core);
    refuse_session("client timed out while reading client request headers", NGHTTP2_PROTOCOL_ERROR, Failure::timeout_header);
  } else {
    c.server.count_timeout(Wait::idle);
    go_away(NGHTTP2_NO_ERROR);
    closing_ = true;
  }
  return true;
}

bool H2Connection::greeting_is_late() {
  const Errc late = c.head_is_late();
  if (late == Errc::ok) return false;
  if (late == Errc::timed_out) {
    c.time_out(Wait::header, *c.core);
    refuse_session("client timed out while reading client request headers", NGHTTP2_PROTOCOL_ERROR, Failure::timeout_header);
  } else {
    c.abrupt = true;
    refuse_session("too many unfinished request heads of this address", NGHTTP2_ENHANCE_YOUR_CALM, Failure::too_many_headers);
  }
  return true;
}

// Of a request, or the trailers of one: that stream is reset, the others go on. What is still to come of the block is read, but
// for nobody; a connection without streams is idle meanwhile.
void H2Connection::give_up_head() {
  c.server.count_timeout(Wait::header);
  c.log(failed(*c.vhost, Failure::timeout_header), "client timed out while reading client request headers");
  nghttp2_submit_rst_stream(session(), NGHTTP2_FLAG_NONE, static_cast<std::int32_t>(building_), NGHTTP2_PROTOCOL_ERROR);
  building_ = 0;
  head_since_ = 0;
  if (active_ == 0) idle_since_ = c.server.loop.now();
  wake_writer();
}

void H2Connection::wake_reader() { c.stream->socket().interrupt(Socket::reading, Errc::cancelled); }

// The end comes from above (TERM): GOAWAY, as far as the socket takes it at once.
void H2Connection::say_farewell() {
  if (broken_) return;
  go_away(NGHTTP2_NO_ERROR);
  Io io = Io::of(0);
  fill_and_send(io);
}

// ---- ends -----------------------------------------------------------------------------------------------------------

// RFC 9113 6.8: "there will be an end" first, which stream is the last one when the client has seen that (its PING comes back), or
// some time later. So no request is on its way to nobody.
void H2Connection::announce_end() {
  if (going_away_ || announced_) return;
  announced_ = c.server.loop.now();
  CHECK(nghttp2_submit_shutdown_notice(session()) == 0);
  CHECK(nghttp2_submit_ping(session(), NGHTTP2_FLAG_NONE, nullptr) == 0);
  wake_writer();
}

void H2Connection::go_away(std::uint32_t code) {
  if (going_away_) return;
  going_away_ = c.linger = true;
  const std::int32_t last = nghttp2_session_get_last_proc_stream_id(session());
  CHECK(nghttp2_submit_goaway(session(), NGHTTP2_FLAG_NONE, last, code, nullptr, 0) == 0);
  wake_writer();
}

void H2Connection::drain() {
  if (c.state() == ConnState::idle) c.enter(ConnState::h2);  // not one that is closed without a word
  const bool idle = greeted_ && active_ == 0;
  const bool quiet = idle && (is_nginx_alike() || c.server.loop.now() - idle_since_ >= kQuiet);
  quiet ? go_away(NGHTTP2_NO_ERROR) : announce_end();
  wake_reader();
}

void H2Connection::refuse_session(const char* why, std::uint32_t code, Failure failure) {
  if (closing_) return;
  c.log(failed(*c.vhost, failure), why);
  closing_ = going_away_ = true;
  nghttp2_session_terminate_session(session(), code);
  wake_writer();
}

void H2Connection::abused(H2Abuse abuse) {
  if (closing_) return;
  c.server.count_abuse(abuse);
  c.abrupt = true;
  refuse_session(name_of(abuse), NGHTTP2_ENHANCE_YOUR_CALM);
}

void H2Connection::abandon_all() {
  while (H2Stream* stream = fresh_.pop_front()) forget(*stream);
  for (H2Stream* stream = streams_.front(); stream; stream = streams_.next(*stream))
    if (!stream->served) stream->abandon();
}

void H2Connection::reset(H2Stream& stream, std::uint32_t code) {
  if (stream.closed) return;
  nghttp2_submit_rst_stream(session(), NGHTTP2_FLAG_NONE, stream.id, code);
  wake_writer();
}

// Nobody will use it: nghttp2 may still know the stream, but not it.
void H2Connection::forget(H2Stream& stream) {
  nghttp2_session_set_stream_user_data(session(), stream.id, nullptr);
  if (!stream.served) one_less();
  delete &stream;
}

void H2Connection::one_less() {
  --c.server.counts().h2_streams;
  if (--active_ > 0) return;
  --c.server.counts().h2_busy;
  idle_since_ = c.server.loop.now();
}

void H2Connection::served(H2Stream& stream) {
  stream.served = stream.discarding = true;
  one_less();
  if (stream.closed) forget(stream);
  if (active_ == 0) wake_reader();  // its time is another one now
}

}  // namespace seawall
