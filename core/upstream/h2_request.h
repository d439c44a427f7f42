// H2Request: one request and its response on an HTTP/2 connection to an upstream, which others share. nghttp2's callbacks write here
// what has come and take from here what is to go; whoever forwards the request reads, writes and waits as with a connection of its
// own. What has come holds at most the stream's window, what is to go kMostOutput. Its end before the stream's resets that, and
// nothing else. One loop.
#pragma once
#include <sys/uio.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "seawall/async/event.h"
#include "seawall/http/h2_response_head.h"
#include "seawall/net/socket.h"
#include "seawall/upstream/protocol.h"

namespace seawall {

class H2Upstream;

// How a stream has come to its end.
enum class H2End : std::uint8_t {
  none,
  ended,    // the response is whole
  failed,   // the stream was reset, or what came on it is no response: complaint() says it
  refused,  // the server has not begun with the request: it may be asked again
  lost,     // the connection has ended or broken: error() says it
};

class H2Request {
 public:
  explicit H2Request(std::shared_ptr<H2Upstream> connection);
  ~H2Request();
  H2Request(const H2Request&) = delete;
  H2Request& operator=(const H2Request&) = delete;

  // ---- the request ----
  // Its head: pseudo-fields first; what is of one HTTP/1 connection is left out. `nobody`: the response has no body, whatever its
  // head says (HEAD). `head_limit`: bounds the response's head.
  void submit(const Headers& fields, bool has_body, bool nobody, std::size_t head_limit);
  // A tunnel (RFC 8441) instead of a request with a body. It goes when the server has said that it takes such; where it says that it
  // does not, it has failed.
  void open_tunnel(Headers fields, std::size_t head_limit);
  // The body ends behind the next `size` bytes.
  void ends_after(std::size_t size);
  Io try_write(std::span<const iovec> pieces);

  // ---- the response ----
  // A head that has come: an interim one (103), or the response's.
  std::optional<UpstreamHead> take_head();
  // Bytes of the body; done with 0 bytes: nothing more will come, end() says why.
  Io try_read(std::span<char> room);
  bool has_unread() const { return left() > 0; }
  bool is_over() const { return end_ == H2End::ended && !has_unread(); }
  H2End end() const { return end_; }
  const std::string& complaint() const { return complaint_; }
  Headers take_trailers() { return std::move(trailers_); }

  // ---- waits: what try_read or try_write wanted ----
  Event& event(Socket::Direction direction) { return direction == Socket::reading ? arrived_ : room_; }

  std::uint64_t sent_wire() const { return sent_wire_; }          // bytes of frames
  std::uint64_t received_wire() const { return received_wire_; }
  // Since when nothing at all has come on its connection: ns.
  std::int64_t silent_since() const;
  // The connection takes no more requests.
  void distrust_connection();

 private:
  friend class H2Upstream;
  friend struct H2UpstreamCallbacks;
  static constexpr std::size_t kMostOutput = 64 * 1024;

  std::size_t left() const { return received_.size() - taken_; }
  std::size_t output_left() const { return output_.size() - output_taken_; }
  // From the callbacks.
  void end_head(bool ends_stream);
  void arrive(std::string_view data);
  void end_body();
  void fail(std::string why, std::uint32_t code);
  void finish(H2End how, std::string why = {}, std::error_code error = {});

  const std::shared_ptr<H2Upstream> connection_;
  std::int32_t id_ = -1;               // -1: not submitted
  bool closed_ = false;                // nghttp2 knows it no more

  H2ResponseHead reader_;              // of the present block
  std::size_t head_limit_ = 0;
  bool nobody_ = false, tunnel_ = false;
  Headers tunnel_fields_;              // until the server's settings are known
  std::deque<UpstreamHead> heads_;
  bool has_head_ = false;              // the response's has come
  std::optional<std::uint64_t> length_;
  std::uint64_t body_size_ = 0;
  std::string received_;
  std::size_t taken_ = 0;              // of received_
  Headers trailers_;
  H2End end_ = H2End::none;
  std::string complaint_;
  std::error_code error_;

  std::string output_;
  std::size_t output_taken_ = 0;
  std::optional<std::size_t> output_ends_in_;  // bytes of the body still to be written
  bool deferred_ = false;              // nghttp2 waits until it is told that there is more
  std::uint64_t sent_wire_ = 0, received_wire_ = 0;
  Event arrived_, room_;
};

}  // namespace seawall
