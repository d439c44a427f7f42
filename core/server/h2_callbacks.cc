// nghttp2's callbacks: what has come is written down in the connection and its streams, what is to go is taken from them.
// Nothing here resumes a coroutine: events are set, scopes cancelled, and the Scheduler goes on from there.
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <utility>

#include "seawall/base/check.h"
#include "seawall/http/h2_memory.h"
#include "seawall/net/loop.h"
#include "seawall/server/connection.h"
#include "seawall/server/core_module.h"
#include "seawall/server/failures.h"
#include "seawall/server/h2_batch.h"
#include "seawall/server/h2_connection.h"
#include "seawall/server/h2_fields.h"
#include "seawall/server/h2_priority.h"
#include "seawall/server/h2_stream.h"
#include "seawall/server/h2_tunnel.h"
#include "seawall/server/h2_weights.h"
#include "seawall/server/vhost.h"

namespace seawall {
namespace {

constexpr std::int32_t kNoLast = 0x7fffffff;  // of a GOAWAY that only announces the end

H2Connection& connection(void* user_data) { return *static_cast<H2Connection*>(user_data); }

H2Stream* stream_of(nghttp2_session* session, std::int32_t id) {
  return static_cast<H2Stream*>(nghttp2_session_get_stream_user_data(session, id));
}

std::string_view text_of(nghttp2_rcbuf* buffer) {
  const nghttp2_vec bytes = nghttp2_rcbuf_get_buf(buffer);
  return {reinterpret_cast<const char*>(bytes.base), bytes.len};
}

bool ends_stream(const nghttp2_frame& frame) { return (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0; }

}  // namespace

struct H2Callbacks {
  static int begin_frame(nghttp2_session*, const nghttp2_frame_hd* hd, void* user_data) {
    H2Connection& h = connection(user_data);
    const bool head = hd->type == NGHTTP2_HEADERS || hd->type == NGHTTP2_CONTINUATION;
    if (!head) h.head_since_ = 0;
    else if (h.head_since_ == 0) h.head_since_ = h.c.server.loop.now();
    if (hd->type == NGHTTP2_HEADERS) h.check_stream_id(hd->stream_id, true);
    return 0;
  }

  static int begin_headers(nghttp2_session* session, const nghttp2_frame* frame, void* user_data) {
    H2Connection& h = connection(user_data);
    h.head_unpacked_ = 0;
    h.building_ = 0;
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
      h.begin_stream(frame->hd.stream_id, ends_stream(*frame));
    } else if (stream_of(session, frame->hd.stream_id)) {
      h.head_reader_.begin_trailers();
      h.building_ = static_cast<std::uint32_t>(frame->hd.stream_id);
    }
    return 0;
  }

  static int header(nghttp2_session*, const nghttp2_frame*, nghttp2_rcbuf* name, nghttp2_rcbuf* value, std::uint8_t,
                    void* user_data) {
    H2Connection& h = connection(user_data);
    const std::string_view n = text_of(name), v = text_of(value);
    h.head_unpacked_ += n.size() + v.size();
    if (h.head_unpacked_ > 4 * h.c.vhost->head_limits.total() + 64 * 1024) h.abused(H2Abuse::header_bomb);
    const bool forever = nghttp2_rcbuf_is_static(name) && nghttp2_rcbuf_is_static(value);
    if (h.building_) h.head_reader_.add(n, v, forever);
    return 0;
  }

  static int frame_received(nghttp2_session* session, const nghttp2_frame* frame, void* user_data) {
    H2Connection& h = connection(user_data);
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS: headers_received(h, session, *frame); break;
      case NGHTTP2_DATA: data_received(h, session, *frame); break;
      case NGHTTP2_PRIORITY: weigh(h, frame->hd.stream_id, frame->priority.pri_spec); break;
      case NGHTTP2_SETTINGS: settings_received(h, frame->settings); break;
      case NGHTTP2_PING: ping_received(h, frame->ping); break;
      default: break;
    }
    return 0;
  }

  static void weigh(H2Connection& h, std::int32_t id, const nghttp2_priority_spec& said) {
    h.weigh(id, said.stream_id, said.weight, said.exclusive != 0);
  }

  static void ping_received(H2Connection& h, const nghttp2_ping& ping) {
    if (h.announced_ && (ping.hd.flags & NGHTTP2_FLAG_ACK)) h.go_away(NGHTTP2_NO_ERROR);
  }

  static void settings_received(H2Connection& h, const nghttp2_settings& settings) {
    if (settings.hd.flags & NGHTTP2_FLAG_ACK) h.acknowledged_ = true;
    if (h.greeted_) return;
    h.idle_since_ = h.c.server.loop.now();
    h.greeted_ = true;
    h.c.head_clock.stop();
    for (std::size_t i = 0; i < settings.niv; ++i)
      if (settings.iv[i].settings_id == NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES) h.extensible_ = settings.iv[i].value == 1;
  }

  static int before_frame_sent(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    H2Connection& h = connection(user_data);
    const bool ack = frame->hd.type == NGHTTP2_SETTINGS && (frame->hd.flags & NGHTTP2_FLAG_ACK);
    return ack && std::exchange(h.ack_withheld_, false) ? NGHTTP2_ERR_CANCEL : 0;
  }

  static void headers_received(H2Connection& h, nghttp2_session* session, const nghttp2_frame& frame) {
    h.head_since_ = 0;
    const bool has_place = (frame.hd.flags & NGHTTP2_FLAG_PRIORITY) && frame.headers.cat == NGHTTP2_HCAT_REQUEST;
    if (has_place) weigh(h, frame.hd.stream_id, frame.headers.pri_spec);
    if (h.building_ != static_cast<std::uint32_t>(frame.hd.stream_id)) return;
    h.building_ = 0;
    if (frame.headers.cat == NGHTTP2_HCAT_REQUEST)
      return h.add_stream(frame.hd.stream_id, frame.hd.length, ends_stream(frame));
    if (H2Stream* stream = stream_of(session, frame.hd.stream_id)) h.end_of_trailers(*stream, ends_stream(frame));
  }

  static void data_received(H2Connection& h, nghttp2_session* session, const nghttp2_frame& frame) {
    H2Stream* stream = stream_of(session, frame.hd.stream_id);
    if (!stream) return;
    stream->body_wire += frame.hd.length;
    if (ends_stream(frame)) return h.end_of_body(*stream);
    const bool padding_only = frame.hd.length > 0 && frame.hd.length == frame.data.padlen;
    if (padding_only && !h.budgets_.spend(H2Abuse::empty_frame_flood, h.c.server.loop.now()))
      h.abused(H2Abuse::empty_frame_flood);
  }

  static int invalid_frame(nghttp2_session*, const nghttp2_frame* frame, int code, void* user_data) {
    H2Connection& h = connection(user_data);
    if (frame->hd.type == NGHTTP2_HEADERS) h.head_since_ = 0;
    h.broken_frame();
    h.c.log(failed(*h.c.vhost, Failure::bad_request_http2), std::string("client sent an invalid HTTP/2 frame: ") + nghttp2_strerror(code));
    return 0;
  }

  static int data_chunk(nghttp2_session* session, std::uint8_t, std::int32_t id, const std::uint8_t* data, std::size_t size,
                        void* user_data) {
    H2Connection& h = connection(user_data);
    nghttp2_session_consume_connection(session, size);
    if (H2Stream* stream = stream_of(session, id)) h.data_arrived(*stream, {reinterpret_cast<const char*>(data), size});
    else nghttp2_session_consume_stream(session, id, size);
    return 0;
  }

  static int stream_closed(nghttp2_session* session, std::int32_t id, std::uint32_t, void* user_data) {
    H2Stream* stream = stream_of(session, id);
    if (!stream) return 0;
    H2Connection& h = connection(user_data);
    stream->abandon();
    // Its task has ended, or was never to begin: a reset in the same breath as the request costs no handler.
    if (stream->served || !stream->begun) h.forget(*stream);
    return 0;
  }

  static int frame_sent(nghttp2_session* session, const nghttp2_frame* frame, void* user_data) {
    H2Connection& h = connection(user_data);
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS: case NGHTTP2_DATA:
        if (H2Stream* stream = stream_of(session, frame->hd.stream_id)) part_sent(*stream, *frame);
        if (frame->hd.type == NGHTTP2_DATA) h.budgets_.earn(H2Abuse::window_flood, 4);
        break;
      case NGHTTP2_RST_STREAM:
        h.ids_.reset(frame->hd.stream_id);
        // More DATA than its window: nghttp2 resets the stream without telling of a broken frame.
        if (frame->rst_stream.error_code == NGHTTP2_FLOW_CONTROL_ERROR) h.broken_frame();
        break;
      case NGHTTP2_GOAWAY: went_away(h, frame->goaway); break;
      default: break;
    }
    return 0;
  }

  static void part_sent(H2Stream& stream, const nghttp2_frame& frame) {
    stream.sent_wire += frame.hd.length + H2Batch::kFrameHead;
    stream.progress = Loop::current().now();
    if (ends_stream(frame)) stream.end_sent = true;
    if (stream.end_sent || stream.allowance == 0 || (stream.output.left() == 0 && !stream.output.last())) stream.sent.set();
  }

  static void went_away(H2Connection& h, const nghttp2_goaway& goaway) {
    if (goaway.last_stream_id != kNoLast) h.going_away_ = true;
    if (goaway.error_code == NGHTTP2_NO_ERROR || h.closing_) return;
    h.c.log(failed(*h.c.vhost, Failure::bad_request_http2), std::string("client broke HTTP/2: ") +
                             std::string(reinterpret_cast<const char*>(goaway.opaque_data), goaway.opaque_data_len));
  }

  // A response that cannot be sent any more: its task must hear of it.
  static int frame_not_sent(nghttp2_session* session, const nghttp2_frame* frame, int, void*) {
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    if (H2Stream* stream = stream_of(session, frame->hd.stream_id)) stream->abandon();
    return 0;
  }

  // ---- the response's body ------------------------------------------------------------------------------------------

  static ssize_t data_length(nghttp2_session*, std::uint8_t, std::int32_t id, std::int32_t session_window,
                             std::int32_t stream_window, std::uint32_t frame_size, void* user_data) {
    H2Stream* stream = stream_of(connection(user_data).session(), id);
    const std::int64_t chunk = stream && stream->exchange ? *stream->exchange->conf<Http2Module>().chunk_size : 16 * 1024;
    const std::int64_t most = std::min<std::int64_t>({chunk, session_window, stream_window, frame_size});
    return static_cast<ssize_t>(H2Batch::of_thread().data_length(static_cast<std::size_t>(std::max<std::int64_t>(most, 1))));
  }

  static ssize_t read_data(nghttp2_session* session, std::int32_t id, std::uint8_t*, std::size_t length, std::uint32_t* flags,
                           nghttp2_data_source*, void* user_data) {
    H2Stream* stream = stream_of(session, id);
    if (!stream || stream->served) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    const std::uint64_t left = stream->output.left();
    if (left == 0 ? !stream->output.last() : stream->allowance == 0) {
      stream->deferred = true;
      return NGHTTP2_ERR_DEFERRED;
    }
    if (connection(user_data).must_yield(*stream)) {
      stream->yielded = true;
      return NGHTTP2_ERR_DEFERRED;
    }
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    const std::uint64_t n = std::min<std::uint64_t>({left, length, stream->allowance});
    if (n == left && stream->output.last()) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (submit_trailers(session, *stream)) *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    }
    return static_cast<ssize_t>(n);
  }

  static bool submit_trailers(nghttp2_session* session, const H2Stream& stream) {
    H2Fields fields;
    if (stream.exchange) fields.add_all(stream.exchange->sent_trailers);
    return !fields.empty() && nghttp2_submit_trailer(session, stream.id, fields.data(), fields.size()) == 0;
  }

  static int send_data(nghttp2_session* session, nghttp2_frame* frame, const std::uint8_t* head, std::size_t length,
                       nghttp2_data_source*, void*) {
    H2Stream* stream = stream_of(session, frame->hd.stream_id);
    if (!stream) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    H2Batch& batch = H2Batch::of_thread();
    char* const room = batch.room_for(H2Batch::kFrameHead + length);
    if (!room) return NGHTTP2_ERR_WOULDBLOCK;
    std::memcpy(room, head, H2Batch::kFrameHead);
    if (!stream->output.take(room + H2Batch::kFrameHead, length)) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    batch.commit(H2Batch::kFrameHead + length);
    stream->sent_size += length;
    if (stream->allowance != UINT64_MAX) stream->allowance -= length;
    return 0;
  }
};

// ---- the session ----------------------------------------------------------------------------------------------------

namespace {

nghttp2_session_callbacks* make_callbacks() {
  nghttp2_session_callbacks* cb = nullptr;
  CHECK(nghttp2_session_callbacks_new(&cb) == 0);
  nghttp2_session_callbacks_set_on_begin_frame_callback(cb, H2Callbacks::begin_frame);
  nghttp2_session_callbacks_set_on_begin_headers_callback(cb, H2Callbacks::begin_headers);
  nghttp2_session_callbacks_set_on_header_callback2(cb, H2Callbacks::header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(cb, H2Callbacks::frame_received);
  nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(cb, H2Callbacks::invalid_frame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, H2Callbacks::data_chunk);
  nghttp2_session_callbacks_set_on_stream_close_callback(cb, H2Callbacks::stream_closed);
  nghttp2_session_callbacks_set_before_frame_send_callback(cb, H2Callbacks::before_frame_sent);
  nghttp2_session_callbacks_set_on_frame_send_callback(cb, H2Callbacks::frame_sent);
  nghttp2_session_callbacks_set_on_frame_not_send_callback(cb, H2Callbacks::frame_not_sent);
  nghttp2_session_callbacks_set_data_source_read_length_callback(cb, H2Callbacks::data_length);
  nghttp2_session_callbacks_set_send_data_callback(cb, H2Callbacks::send_data);
  return cb;
}

constexpr std::size_t kLargestResponseHead = 1 << 20;  // packed; nghttp2's own limit of 64 KiB is less than upstreams may send

// The fields of heads are judged by H2HeadReader, which answers as nginx does where nghttp2 resets; floods by H2Budgets.
nghttp2_option* make_option() {
  nghttp2_option* option = nullptr;
  CHECK(nghttp2_option_new(&option) == 0);
  nghttp2_option_set_no_http_messaging(option, 1);
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_no_closed_streams(option, 1);
  nghttp2_option_set_server_fallback_rfc7540_priorities(option, 1);
  nghttp2_option_set_builtin_recv_extension_type(option, NGHTTP2_PRIORITY_UPDATE);
  nghttp2_option_set_max_send_header_block_length(option, kLargestResponseHead);
  nghttp2_option_set_stream_reset_rate_limit(option, 1'000'000, 1'000'000);
  return option;
}

}  // namespace

nghttp2_session* make_h2_session(H2Connection& h) {
  static const nghttp2_session_callbacks* const callbacks = make_callbacks();
  static const nghttp2_option* const option = make_option();
  nghttp2_session* session = nullptr;
  return nghttp2_session_server_new3(&session, callbacks, &h, option, h2_memory()) == 0 ? session : nullptr;
}

nghttp2_data_provider h2_output_of(const H2Stream&) {
  nghttp2_data_provider provider{};
  provider.read_callback = H2Callbacks::read_data;
  return provider;
}

}  // namespace seawall
