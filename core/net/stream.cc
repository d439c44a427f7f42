#include "seawall/net/stream.h"

#include <cerrno>

namespace seawall {

std::error_code error_of(const Io& io) {
  if (io.kind == Io::eof) return Errc::peer_closed;
  if (io.error == 0) return Errc::tls_failed;
  if (io.error == ECONNRESET || io.error == EPIPE) return Errc::peer_reset;
  return system_error_code(io.error);
}

std::optional<Result<std::size_t>> SomeRead::now() {
  io_ = stream_.try_read(room_);
  if (io_.kind == Io::done) return Result<std::size_t>(io_.n);
  if (io_.kind == Io::eof || io_.kind == Io::failed) return Result<std::size_t>(error_of(io_));
  return std::nullopt;
}

Task<Result<std::size_t>> SomeRead::later() {
  for (;;) {
    const Errc waited = co_await wait_for(stream_, io_, deadline_);
    if (waited != Errc::ok) co_return waited;
    if (std::optional<Result<std::size_t>> read = now()) co_return std::move(*read);
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
