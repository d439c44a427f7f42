#include "seawall/upstream/h2_request.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cerrno>

#include "seawall/upstream/h2_upstream.h"

namespace seawall {

H2Request::H2Request(std::shared_ptr<H2Upstream> connection) : connection_(std::move(connection)) {}
H2Request::~H2Request() { connection_->leave(*this); }

std::int64_t H2Request::silent_since() const { return connection_->heard_; }
void H2Request::distrust_connection() { connection_->retire(); }

// ---- the request ----------------------------------------------------------------------------------------------------

void H2Request::submit(const Headers& fields, bool has_body, bool nobody, std::size_t head_limit) {
  nobody_ = nobody;
  head_limit_ = head_limit;
  if (!has_body) output_ends_in_ = 0;
  connection_->submit(*this, fields, has_body);
}

void H2Request::open_tunnel(Headers fields, std::size_t head_limit) {
  tunnel_ = true;
  head_limit_ = head_limit;
  tunnel_fields_ = std::move(fields);
  connection_->submit_tunnel(*this);
}

void H2Request::ends_after(std::size_t size) {
  output_ends_in_ = size;
  if (size == 0) connection_->resume(*this);
}

Io H2Request::try_write(std::span<const iovec> pieces) {
  if (closed_ || end_ > H2End::ended) return Io::fail(EPIPE);
  if (output_taken_ == output_.size()) {
    output_.clear();
    output_taken_ = 0;
  }
  std::size_t written = 0;
  for (const iovec& piece : pieces) {
    const std::size_t n = std::min(piece.iov_len, kMostOutput - std::min(kMostOutput, output_left()));
    output_.append(static_cast<const char*>(piece.iov_base), n);
    written += n;
    if (n < piece.iov_len) break;
  }
  if (written == 0) {
    room_.reset();
    return Io::wants_write();
  }
  if (output_ends_in_) *output_ends_in_ -= std::min(*output_ends_in_, written);
  connection_->resume(*this);
  return Io::of(written);
}

// ---- the response ---------------------------------------------------------------------------------------------------

std::optional<UpstreamHead> H2Request::take_head() {
  if (heads_.empty()) return std::nullopt;
  std::optional<UpstreamHead> head(std::move(heads_.front()));
  heads_.pop_front();
  return head;
}

Io H2Request::try_read(std::span<char> room) {
  if (left() > 0) {
    const std::size_t n = std::min(room.size(), left());
    received_.copy(room.data(), n, taken_);
    taken_ += n;
    if (left() == 0) {
      received_.clear();
      taken_ = 0;
    }
    connection_->give_back_window(*this, n);
    return Io::of(n);
  }
  if (end_ == H2End::lost) {
    if (error_ == Errc::peer_closed) return Io::ended();
    return Io::fail(error_.category() == std::generic_category() ? error_.value() : ECONNRESET);
  }
  if (end_ != H2End::none) return Io::of(0);
  arrived_.reset();
  return Io::wants_read();
}

void H2Request::end_head(bool ends_stream) {
  reader_.end();
  if (!reader_.complaint.empty()) return fail(reader_.complaint, NGHTTP2_PROTOCOL_ERROR);
  if (has_head_) {
    if (!ends_stream) return fail("upstream sent trailer without end stream flag", NGHTTP2_PROTOCOL_ERROR);
    trailers_ = std::move(reader_.headers);
    return end_body();
  }
  if (reader_.is_interim()) {
    if (ends_stream) return fail("upstream prematurely closed stream", NGHTTP2_PROTOCOL_ERROR);
    if (reader_.status != 103) return;  // 100 and what may come: only the last one answers
  }
  const int status = reader_.status;
  const bool nobody = nobody_ || status == 204 || status == 304;
  if (ends_stream && !nobody && reader_.length.value_or(0) > 0) return fail("upstream prematurely closed stream", NGHTTP2_PROTOCOL_ERROR);
  UpstreamHead& head = heads_.emplace_back();
  head.status = status;
  head.headers = std::move(reader_.headers);
  if (reader_.is_interim()) return arrived_.set();
  has_head_ = true;
  nobody_ = nobody;
  const bool opens = tunnel_ && status >= 200 && status < 300;  // a Content-Length says nothing there (RFC 9110 9.3.6)
  if (!opens) head.length = length_ = reader_.length;
  arrived_.set();
  if (ends_stream) end_body();
}

void H2Request::arrive(std::string_view data) {
  if (end_ != H2End::none) return connection_->give_back_window(*this, data.size());
  if (!has_head_) return fail("upstream sent a data frame before the response header", NGHTTP2_PROTOCOL_ERROR);
  body_size_ += data.size();
  const std::uint64_t most = nobody_ ? 0 : length_.value_or(UINT64_MAX);
  if (body_size_ > most) return fail("upstream sent response body larger than indicated content length", NGHTTP2_PROTOCOL_ERROR);
  received_.append(data);
  arrived_.set();
}

void H2Request::end_body() {
  if (end_ != H2End::none) return;
  if (!has_head_ || (!nobody_ && length_ && body_size_ < *length_)) return fail("upstream prematurely closed stream", NGHTTP2_PROTOCOL_ERROR);
  finish(H2End::ended);
}

void H2Request::fail(std::string why, std::uint32_t code) {
  if (end_ != H2End::none) return;
  finish(H2End::failed, std::move(why));
  connection_->reset(*this, code);
}

void H2Request::finish(H2End how, std::string why, std::error_code error) {
  if (end_ != H2End::none) return;
  end_ = how;
  complaint_ = std::move(why);
  error_ = error;
  arrived_.set();
  room_.set();
}

}  // namespace seawall
