// nghttp2's callbacks of a connection to an upstream: what has come is written down in the requests, what is to go is taken from
// them. Nothing here resumes a coroutine.
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstring>

#include "seawall/base/check.h"
#include "seawall/http/h2_memory.h"
#include "seawall/server/h2_fields.h"
#include "seawall/upstream/h2_upstream.h"

namespace seawall {
namespace {

constexpr std::size_t kFrameHead = 9;
constexpr std::size_t kLargestRequestHead = 1 << 20;  // packed; nghttp2's own limit of 64 KiB is less than clients may send

H2Upstream& connection(void* user_data) { return *static_cast<H2Upstream*>(user_data); }
bool ends_stream(const nghttp2_frame& frame) { return (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0; }

}  // namespace

struct H2UpstreamCallbacks {
  static int begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    if (H2Request* request = connection(user_data).find(frame->hd.stream_id))
      request->reader_.begin(request->has_head_, request->head_limit_);
    return 0;
  }

  static int header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                    const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user_data) {
    H2Request* const request = connection(user_data).find(frame->hd.stream_id);
    if (request && request->end_ == H2End::none)
      request->reader_.add({reinterpret_cast<const char*>(name), name_size}, {reinterpret_cast<const char*>(value), value_size});
    return 0;
  }

  static int frame_received(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    H2Upstream& h = connection(user_data);
    if (frame->hd.type == NGHTTP2_GOAWAY) {
      h.goaway_code_ = frame->goaway.error_code;
      h.retire();
      return 0;
    }
    if (frame->hd.type == NGHTTP2_SETTINGS && !(frame->hd.flags & NGHTTP2_FLAG_ACK)) h.hear_settings();
    H2Request* const request = h.find(frame->hd.stream_id);
    if (!request) return 0;
    request->received_wire_ += frame->hd.length + kFrameHead;
    if (request->end_ != H2End::none) return 0;
    if (frame->hd.type == NGHTTP2_HEADERS) request->end_head(ends_stream(*frame));
    else if (frame->hd.type == NGHTTP2_DATA && ends_stream(*frame)) request->end_body();
    return 0;
  }

  static int data_chunk(nghttp2_session* session, std::uint8_t, std::int32_t id, const std::uint8_t* data, std::size_t size,
                        void* user_data) {
    nghttp2_session_consume_connection(session, size);
    if (H2Request* request = connection(user_data).find(id)) request->arrive({reinterpret_cast<const char*>(data), size});
    else nghttp2_session_consume_stream(session, id, size);
    return 0;
  }

  static int stream_closed(nghttp2_session*, std::int32_t id, std::uint32_t code, void* user_data) {
    H2Upstream& h = connection(user_data);
    H2Request* const request = h.find(id);
    if (!request) return 0;
    request->closed_ = true;
    if (code == NGHTTP2_REFUSED_STREAM && h.goaway_code_ != 0) {
      request->finish(H2End::failed, "upstream sent goaway with error " + std::to_string(h.goaway_code_));
    } else if (code == NGHTTP2_REFUSED_STREAM && !request->has_head_) {
      h.retire();  // it has as many requests as it takes
      request->finish(H2End::refused, "upstream refused the request");
    } else {
      request->finish(H2End::failed, "upstream rejected request with error " + std::to_string(code));
    }
    return 0;
  }

  static int invalid_frame(nghttp2_session*, const nghttp2_frame*, int code, void* user_data) {
    H2Upstream& h = connection(user_data);
    if (h.complaint_.empty()) h.complaint_ = std::string("upstream sent an invalid http2 frame: ") + nghttp2_strerror(code);
    return 0;
  }

  static int frame_sent(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    H2Request* const request = connection(user_data).find(frame->hd.stream_id);
    if (request) request->sent_wire_ += frame->hd.length + kFrameHead;
    return 0;
  }

  // A request that the connection takes no more: GOAWAY came before it went.
  static int frame_not_sent(nghttp2_session*, const nghttp2_frame* frame, int, void* user_data) {
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    H2Request* const request = connection(user_data).find(frame->hd.stream_id);
    if (!request) return 0;
    request->closed_ = true;
    request->finish(H2End::refused, "upstream refused the request");
    return 0;
  }

  static ssize_t read_body(nghttp2_session*, std::int32_t id, std::uint8_t* to, std::size_t room, std::uint32_t* flags,
                           nghttp2_data_source*, void* user_data) {
    H2Request* const request = connection(user_data).find(id);
    if (!request) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    const std::size_t n = std::min(room, request->output_left());
    std::memcpy(to, request->output_.data() + request->output_taken_, n);
    request->output_taken_ += n;
    const bool last = request->output_left() == 0 && request->output_ends_in_ == 0;
    if (last) *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (request->output_left() <= H2Request::kMostOutput / 2) request->room_.set();
    if (n > 0 || last) return static_cast<ssize_t>(n);
    request->deferred_ = true;
    return NGHTTP2_ERR_DEFERRED;
  }
};

namespace {

nghttp2_session_callbacks* make_callbacks() {
  nghttp2_session_callbacks* cb = nullptr;
  CHECK(nghttp2_session_callbacks_new(&cb) == 0);
  nghttp2_session_callbacks_set_on_begin_headers_callback(cb, H2UpstreamCallbacks::begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(cb, H2UpstreamCallbacks::header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(cb, H2UpstreamCallbacks::frame_received);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, H2UpstreamCallbacks::data_chunk);
  nghttp2_session_callbacks_set_on_stream_close_callback(cb, H2UpstreamCallbacks::stream_closed);
  nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(cb, H2UpstreamCallbacks::invalid_frame);
  nghttp2_session_callbacks_set_on_frame_send_callback(cb, H2UpstreamCallbacks::frame_sent);
  nghttp2_session_callbacks_set_on_frame_not_send_callback(cb, H2UpstreamCallbacks::frame_not_sent);
  return cb;
}

// Heads are judged by H2ResponseHead, whose words are nginx's where nghttp2 only resets.
nghttp2_option* make_option() {
  nghttp2_option* option = nullptr;
  CHECK(nghttp2_option_new(&option) == 0);
  nghttp2_option_set_no_http_messaging(option, 1);
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_no_closed_streams(option, 1);
  nghttp2_option_set_max_send_header_block_length(option, kLargestRequestHead);
  return option;
}

}  // namespace

nghttp2_session* make_h2_upstream_session(H2Upstream& h) {
  static const nghttp2_session_callbacks* const callbacks = make_callbacks();
  static const nghttp2_option* const option = make_option();
  nghttp2_session* session = nullptr;
  return nghttp2_session_client_new3(&session, callbacks, &h, option, h2_memory()) == 0 ? session : nullptr;
}

void H2Upstream::submit(H2Request& request, const Headers& fields, bool has_body) {
  H2Fields list;
  list.add_all(fields);
  nghttp2_data_provider body{};
  body.read_callback = H2UpstreamCallbacks::read_body;
  const bool open = !stopping_ && !broken_;
  const std::int32_t id =
      open ? nghttp2_submit_request(session(), nullptr, list.data(), list.size(), has_body ? &body : nullptr, nullptr) : -1;
  if (id < 0) return request.finish(H2End::lost, {}, error_ ? error_ : make_error_code(Errc::peer_closed));
  request.id_ = id;
  requests_.emplace(id, &request);
  ++begun_;
  wake_.set();
}

}  // namespace seawall
