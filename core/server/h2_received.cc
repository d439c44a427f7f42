// What a client has sent, as nghttp2's callbacks (h2_callbacks.cc) tell the connection: streams that begin, bodies, and what is
// wrong with them. Nothing here resumes a coroutine.
#include <nghttp2/nghttp2.h>

#include <utility>

#include "seawall/net/loop.h"
#include "seawall/server/connection.h"
#include "seawall/server/core_module.h"
#include "seawall/server/h2_connection.h"
#include "seawall/server/h2_priority.h"
#include "seawall/server/h2_stream.h"
#include "seawall/server/h2_tunnel.h"
#include "seawall/server/h2_weights.h"
#include "seawall/server/vhost.h"

namespace seawall {

// A frame for a stream that is closed or was passed over. Even numbers and 0 are nghttp2's to refuse.
void H2Connection::check_stream_id(std::int32_t id, bool head) {
  if (id % 2 == 0 || going_away_ || ids_.is_new(id) || nghttp2_session_find_stream(session(), id) || ids_.was_reset(id)) return;
  refuse_session("client sent a frame for a stream that is closed",
                 head && !ids_.was_opened(id) ? NGHTTP2_PROTOCOL_ERROR : NGHTTP2_STREAM_CLOSED);
}

// A client that speaks RFC 9218 means nothing by it.
void H2Connection::weigh(std::int32_t id, std::int32_t depends_on, int weight, bool exclusive) {
  if (extensible_) return;
  if (!weights_) weights_ = std::make_unique<H2Weights>();
  weights_->set(id, depends_on, weight, exclusive);
}

void H2Connection::begin_stream(std::int32_t id, bool ends) {
  ids_.opened(id);
  // A body that may be longer than the window that the client does not know yet; a refused stream may be tried again.
  const bool early = !acknowledged_ && !ends && *conf_.body_preread_size < NGHTTP2_INITIAL_WINDOW_SIZE;
  if (!early && active_ < static_cast<std::size_t>(*conf_.max_concurrent_streams)) {
    head_reader_.begin();
    building_ = static_cast<std::uint32_t>(id);
    return;
  }
  c.log(Level::info, early ? std::string("client sent stream with data before settings were acknowledged")
                           : "concurrent streams exceeded " + std::to_string(active_));
  nghttp2_submit_rst_stream(session(), NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
  if (!budgets_.spend(H2Abuse::refused_streams, c.server.loop.now())) abused(H2Abuse::refused_streams);
}

void H2Connection::add_stream(std::int32_t id, std::size_t wire_size, bool ends) {
  ++c.info.requests;
  ++c.server.counts().requests;
  ++c.server.counts().h2_streams;
  if (++active_ == 1) ++c.server.counts().h2_busy;
  RequestHead head = head_reader_.finish(wire_size, ends);
  if (!head.tunnel.empty()) ask_for_websocket(head);
  H2Priority priority(head.headers.get(FieldId::priority));
  auto* stream = new H2Stream(*this, id, c.info, std::move(head));
  stream->ends = ends;
  stream->has_body = !ends;
  stream->malformed = head_reader_.status();
  stream->malformed_reason = head_reader_.reason();
  if (stream->malformed) broken_frame();
  fresh_.push_back(*stream);
  nghttp2_session_set_stream_user_data(session(), id, stream);
  if (priority.said()) set_priority(session(), id, priority, extensible_);
  if (priority.said() && weights_) weights_->set(id, 0, 256 >> priority.urgency(), false);
  const CoreConf& core = *c.core;
  const std::int64_t age = c.server.loop.now() - c.info.started;
  if (core.keepalive_timeout->timeout.count() <= 0 ||
      c.info.requests >= static_cast<std::uint64_t>(*core.keepalive_requests) ||
      age > std::chrono::nanoseconds(*core.keepalive_time).count())
    go_away(NGHTTP2_NO_ERROR);
}

// The client has brought a reset about: that it can do often, too (MadeYouReset).
void H2Connection::broken_frame() {
  if (!budgets_.spend(H2Abuse::made_you_reset, c.server.loop.now())) abused(H2Abuse::made_you_reset);
}

// Nobody may take what has come of the body for all of it. As long as there is time for it the client hears 400, else the
// stream is reset at once (RFC 9113 8.1.1 allows both).
void H2Connection::broken_body(H2Stream& stream, std::string reason) {
  c.log(Level::info, reason);
  stream.received.clear();
  if (!stream.begun && !stream.malformed) {
    stream.malformed = 400;
    stream.malformed_reason = std::move(reason);
    return broken_frame();
  }
  if (!stream.reading) return break_off(stream);
  stream.broken = true;
  stream.arrived.set();
  broken_frame();
}

void H2Connection::break_off(H2Stream& stream) {
  broken_frame();
  reset(stream, NGHTTP2_PROTOCOL_ERROR);
}

void H2Connection::end_of_trailers(H2Stream& stream, bool ends) {
  if (!ends || head_reader_.status()) {
    c.log(Level::info, ends ? head_reader_.reason() : "client sent trailers that do not end the stream");
    return break_off(stream);
  }
  stream.trailers = head_reader_.finish_trailers();
  end_of_body(stream);
}

void H2Connection::end_of_body(H2Stream& stream) {
  stream.ends = true;
  stream.arrived.set();
  if (!stream.body_length || stream.body_size >= *stream.body_length) return;  // more than that was said of DATA
  broken_body(stream, "client prematurely closed stream: only " + std::to_string(stream.body_size) + " out of " +
                          std::to_string(*stream.body_length) + " bytes of request body received");
}

void H2Connection::data_arrived(H2Stream& stream, std::string_view data) {
  stream.body_size += data.size();
  const bool too_much = stream.body_length && stream.body_size > *stream.body_length;
  if (too_much && stream.body_size - data.size() <= *stream.body_length)
    broken_body(stream, "client intended to send body data larger than declared");
  if (stream.discarding || too_much) {
    nghttp2_session_consume_stream(session(), stream.id, data.size());
    return;
  }
  stream.received.append(data);
  stream.arrived.set();
}

}  // namespace seawall
