#include "tcp_socket.h"

#include "seawall/base/text.h"

namespace seawall::lua {

std::string TcpSocket::take(std::size_t size) {
  std::string text = in.substr(at, size);
  at += text.size();
  if (at == in.size()) {
    in.clear();
    at = 0;
  }
  return text;
}

void TcpSocket::adopt(Kept kept) {
  place = std::move(kept.place);
  if (!kept.stream) return;
  stream = std::move(kept.stream);
  reused = kept.reused + 1;
  read_closed = write_closed = false;
}

void TcpSocket::close() {
  if (stream) stream->end();
  stream.reset();
  place.leave();
  borrowed = nullptr;
  in.clear();
  at = 0;
}

void TcpSocket::abandon() {
  close();
  reads_body = false;
}

void TcpSocket::settle() {
  if (read_closed && write_closed && !busy() && !borrowed && !reads_body) close();
}

std::string socket_error(const std::error_code& error) {
  if (error == Errc::timed_out) return "timeout";
  if (error == Errc::peer_closed || error == Errc::truncated) return "closed";
  if (error == Errc::cancelled) return "client aborted";
  if (error == Errc::peer_reset) return "connection reset by peer";
  if (error.category() == std::generic_category()) return lower(error.message());
  return lower(error.message());
}

}  // namespace seawall::lua
