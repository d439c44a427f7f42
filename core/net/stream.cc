#include "seawall/net/stream.h"

#include <cerrno>

namespace seawall {

std::error_code error_of(const Io& io) {
  if (io.kind == Io::eof) return Errc::peer_closed;
  if (io.error == 0) return Errc::tls_failed;
  if (io.error == ECONNRESET || io.error == EPIPE) return Errc::peer_reset;
  return system_error_code(io.error);
}

Task<Result<std::size_t>> read_some(Stream& stream, std::span<char> room, Deadline deadline) {
  for (;;) {
    const Io io = stream.try_read(room);
    if (io.kind == Io::done) co_return io.n;
    if (io.kind == Io::eof || io.kind == Io::failed) co_return error_of(io);
    const Errc waited = co_await wait_for(stream, io, deadline);
    if (waited != Errc::ok) co_return waited;
  }
}

Task<Result<void>> write_all(Stream& stream, std::string_view bytes, Milliseconds gap, Wait wait) {
  while (!bytes.empty()) {
    const iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
    const Io io = stream.try_write({&piece, 1});
    if (io.kind == Io::failed || io.kind == Io::eof) co_return error_of(io);
    if (io.kind == Io::done) {
      bytes.remove_prefix(io.n);
      continue;
    }
    const Errc waited = co_await wait_for(stream, io, Deadline::in(gap, wait));
    if (waited != Errc::ok) co_return waited;
  }
  for (;;) {
    const Io io = stream.try_flush();
    if (io.kind == Io::done) co_return {};
    if (io.kind == Io::failed || io.kind == Io::eof) co_return error_of(io);
    const Errc waited = co_await wait_for(stream, io, Deadline::in(gap, wait));
    if (waited != Errc::ok) co_return waited;
  }
}

}  // namespace seawall
