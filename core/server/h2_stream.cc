#include "seawall/server/h2_stream.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "seawall/net/loop.h"
#include "seawall/server/h2_connection.h"

namespace seawall {

void H2Output::give(Slice bytes, bool last) {
  bytes_ = std::move(bytes);
  last_ = last;
}

void H2Output::give(FilePart part) {
  part_ = std::move(part);
  last_ = true;
}

bool H2Output::take(char* to, std::size_t n) {
  if (!part_) {
    if (n > 0) std::memcpy(to, bytes_.data(), n);  // none are nowhere
    bytes_ = bytes_.sub(n);
    if (bytes_.empty()) bytes_ = Slice();
    return true;
  }
  while (n > 0) {
    const ssize_t got = ::pread(part_->file->fd.get(), to, n, static_cast<off_t>(part_->offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    const auto moved = static_cast<std::size_t>(got);
    part_->offset += moved;
    part_->length -= moved;
    to += moved;
    n -= moved;
  }
  return true;
}

H2Stream::H2Stream(H2Connection& connection, std::int32_t id, const ConnectionInfo& info, RequestHead head)
    : connection(connection), id(id), info(info), head(std::move(head)), started(Loop::current().now()),
      body_length(this->head.content_length) {}

void H2Stream::abandon() {
  closed = true;
  arrived.set();
  sent.set();
  if (!working || (exchange && exchange->outlives_client)) return;
  if (exchange) exchange->client_left = true;
  working->cancel();
}

}  // namespace seawall
