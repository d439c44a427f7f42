#include "seawall/upstream/h2_client.h"

#include <algorithm>

#include "seawall/server/websocket_key.h"
#include "seawall/upstream/h2_request.h"

namespace seawall {
namespace {

// A response's head may have as much, whatever *_buffer_size says: nginx looks at a field at a time.
constexpr std::size_t kLeastHeadLimit = 64 * 1024;

}  // namespace

bool H2Client::was_refused() const { return request_ && request_->end() == H2End::refused; }

void H2Client::write_head(std::string&, std::optional<std::uint64_t> length) {
  Headers fields;
  list_fields(fields, length);
  const std::size_t limit = std::max(kLeastHeadLimit, static_cast<std::size_t>(*conf_.buffer_size));
  opens_ = opens_websocket();
  if (opens_) request_->open_tunnel(std::move(fields), limit);
  else request_->submit(fields, length != 0, asks_for_head(), limit);
}

// What the server has proved by taking the CONNECT, a client of HTTP/1.1 (or who speaks to it as to one) wants to read.
void H2Client::make_switch(UpstreamHead& head) {
  switched_ = true;
  head.status = 101;
  for (const char* name : {"Content-Length", "Sec-WebSocket-Accept"}) head.headers.remove(name);
  head.headers.add("Upgrade", "websocket");
  head.headers.add("Sec-WebSocket-Accept", websocket_accept(x_.request.headers.get("Sec-WebSocket-Key")));
}

void H2Client::frame(std::size_t size, bool last, std::string&, std::string&) {
  if (last) request_->ends_after(size);
}

Result<std::optional<UpstreamHead>> H2Client::read_head(Buffer&) {
  if (auto head = request_->take_head()) {
    if (opens_ && head->status >= 200 && head->status < 300) make_switch(*head);
    return head;
  }
  if (request_->end() == H2End::failed || request_->end() == H2End::refused) {
    complaint_ = request_->complaint();
    return Errc::bad_request;
  }
  return std::optional<UpstreamHead>();
}

Result<std::optional<Piece>> H2Client::read_body(Buffer& in) {
  if (!in.empty()) return std::optional<Piece>(Piece(in.take(in.size()), request_->is_over()));
  if (request_->is_over()) return std::optional<Piece>(Piece(Slice(), true));
  const bool broken = request_->end() == H2End::failed || request_->end() == H2End::refused;
  if (!broken || request_->has_unread()) return std::optional<Piece>();
  complaint_ = request_->complaint();
  return Errc::truncated;
}

Headers H2Client::take_trailers() { return request_->take_trailers(); }

}  // namespace seawall
