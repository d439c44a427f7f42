// A client of HTTP/2 that sends exactly the frames of the test; only HPACK is done for it. Every wait is bounded, as
// RawClient's.
//
//   H2Client c(s.port());                       // has said the preface and SETTINGS
//   c.request(1, "/");
//   CHECK(c.read_response(1).status == 200);
#pragma once
#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "e2e/raw_client.h"

namespace test {

using H2Fields = std::vector<std::pair<std::string, std::string>>;

class Frame {
 public:
  std::uint8_t type = 0, flags = 0;
  std::uint32_t stream = 0;
  std::string payload;
  H2Fields fields;           // of HEADERS, with what CONTINUATION had
  bool ends_stream() const { return flags & NGHTTP2_FLAG_END_STREAM; }
  std::uint32_t error_code() const;  // of RST_STREAM and GOAWAY
};

class H2Response {
 public:
  int status = 0;
  H2Fields headers, trailers;
  std::string body;
  bool ended = false;                // by END_STREAM
  int reset = -1;                    // the code of RST_STREAM
  std::string header(std::string_view name) const;
  std::string trailer(std::string_view name) const;
};

inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
std::string frame_bytes(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view payload = {});
std::string number_bytes(std::uint32_t number);                                // four, as in most payloads
std::string setting_bytes(std::uint16_t id, std::uint32_t value);
H2Fields get_fields(const std::string& path, const H2Fields& more = {});       // of a GET

class H2Client {
 public:
  enum class Start { greets, silent };
  explicit H2Client(int port, bool tls = false, Start start = Start::greets);

  RawClient& raw() { return raw_; }
  void send(std::string_view bytes) { raw_.send(bytes); }
  void send_frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view payload = {});
  std::string pack(const H2Fields& fields);                                     // a header block
  void send_headers(std::uint32_t stream, const H2Fields& fields, bool ends = true);
  void request(std::uint32_t stream, const std::string& path, const H2Fields& more = {});
  void send_data(std::uint32_t stream, std::string_view data, bool ends);
  void open_window(std::uint32_t stream, std::uint32_t by);
  void reset(std::uint32_t stream, std::uint32_t code = NGHTTP2_CANCEL);
  void ping(std::string_view eight);
  // A GOAWAY that says only that the end is near; a PING follows, whose answer says that it has been seen.
  static bool is_announcement(const Frame& frame);
  void answer(const Frame& ping);

  Frame read_frame(Clock::duration within = kPatience);                         // SETTINGS are acknowledged
  // The next of this type (and stream, unless 0); frames before it are kept for read_response.
  Frame wait_for(std::uint8_t type, std::uint32_t stream = 0);
  H2Response read_response(std::uint32_t stream);                               // 1xx are left out
  // True when the connection ends in time, with this code in a GOAWAY before.
  bool gone_with(std::uint32_t code);

 protected:
  explicit H2Client(RawClient accepted);

 private:
  void make_coders();
  Frame next(std::uint32_t stream);
  H2Fields unpack(std::string_view block);
  RawClient raw_;
  std::unique_ptr<nghttp2_hd_deflater, decltype(&nghttp2_hd_deflate_del)> deflater_{nullptr, nghttp2_hd_deflate_del};
  std::unique_ptr<nghttp2_hd_inflater, decltype(&nghttp2_hd_inflate_del)> inflater_{nullptr, nghttp2_hd_inflate_del};
  std::deque<Frame> kept_;
};

// The server's side, for a scripted upstream: has read the preface and said SETTINGS.
//
//   Upstream up([](RawClient& c) {
//     H2Peer peer(std::move(c));
//     const Frame request = peer.wait_for(NGHTTP2_HEADERS);
//     peer.respond(request.stream, {{":status", "200"}}, "hello");
//   });
class H2Peer : public H2Client {
 public:
  explicit H2Peer(RawClient accepted, std::string_view settings = {});
  void respond(std::uint32_t stream, const H2Fields& fields, std::string_view body = {});
  // The body of a request whose head does not end it.
  std::string read_body(std::uint32_t stream);
  // Hears heads of requests until the connection ends.
  void serve(const std::function<void(const Frame& head)>& answer);
};
// For an Upstream: hears one request, does this, and waits for the end.
std::function<void(RawClient&)> play(std::function<void(H2Peer&, std::uint32_t stream)> act);
std::function<void(RawClient&)> answers(H2Fields fields, std::string body = {});
std::string field(const H2Fields& fields, std::string_view name);  // the first of that name; "" when there is none

}  // namespace test
