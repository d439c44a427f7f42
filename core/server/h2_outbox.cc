#include "seawall/server/h2_outbox.h"

#include <nghttp2/nghttp2.h>

#include "seawall/server/h2_batch.h"

namespace seawall {
namespace {

// As much of `left` as the socket takes.
void write(Stream& stream, std::string_view& left, Io& io) {
  while (!left.empty()) {
    const iovec piece{const_cast<char*>(left.data()), left.size()};
    io = stream.try_write({&piece, 1});
    if (io.kind != Io::done) return;
    left.remove_prefix(io.n);
  }
}

// False: nghttp2 has failed.
bool fill(H2Batch& batch, nghttp2_session* session, H2Outbox::More more) {
  while (!batch.full()) {
    const std::uint8_t* frames = nullptr;
    const ssize_t n = nghttp2_session_mem_send(session, &frames);
    if (n < 0) return false;
    if (n > 0) batch.append(frames, static_cast<std::size_t>(n));
    else if (!more()) return true;
  }
  return true;
}

}  // namespace

// False: there is no room for more.
bool H2Outbox::send_unsent(Stream& stream, Io& io) {
  std::string_view left = unsent_;
  write(stream, left, io);
  unsent_.erase(0, unsent_.size() - left.size());
  if (!unsent_.empty()) return false;
  if (unsent_.capacity() > 64) unsent_ = {};
  return true;
}

bool H2Outbox::send(nghttp2_session* session, Stream& stream, bool tls, More more, Io& io) {
  H2Batch& batch = H2Batch::of_thread();
  for (;;) {
    if (!send_unsent(stream, io)) return true;
    batch.begin(tls);
    if (!fill(batch, session, more)) return false;
    if (batch.empty()) return true;
    std::string_view left = batch.view();
    write(stream, left, io);
    if (left.empty()) continue;
    unsent_.assign(left);
    return true;
  }
}

}  // namespace seawall
