#include "seawall/server/ocsp_fetch.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "seawall/net/stream.h"
#include "seawall/tls/error.h"

namespace seawall {
namespace {

constexpr Milliseconds kPatience{10'000};  // for all that one address has to say
constexpr std::size_t kLargest = 64 * 1024;

std::string escaped(std::string_view base64) {
  std::string path;
  for (char c : base64) {
    if (c == '+') path += "%2B";
    else if (c == '/') path += "%2F";
    else if (c == '=') path += "%3D";
    else path += c;
  }
  return path;
}

Result<Fd> start_connecting(const Address& address) {
  Fd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return system_error_code(errno);
  if (::connect(fd.get(), address.data(), address.size()) < 0 && errno != EINPROGRESS) return system_error_code(errno);
  return fd;
}

// All of it, the connection's beginning included, by the deadline.
Task<Result<void>> send(Stream& stream, std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    const iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
    const Io io = stream.try_write({&piece, 1});
    if (io.kind == Io::failed || io.kind == Io::eof) co_return error_of(io);
    if (io.kind == Io::done) {
      bytes.remove_prefix(io.n);
      continue;
    }
    const Errc waited = co_await wait_for(stream, io, deadline);
    if (waited != Errc::ok) co_return waited;
  }
  co_return Result<void>();
}

}  // namespace

// HTTP/1.0: the response ends with the connection.
std::string ocsp_request(const Responder& responder, const std::string& question) {
  std::string text = "GET " + responder.path;
  if (!text.ends_with('/')) text += '/';
  return text + escaped(question) + " HTTP/1.0\r\nHost: " + responder.host + "\r\n\r\n";
}

std::string ocsp_body(const std::string& response) {
  const auto crlf = response.find("\r\n\r\n"), lf = response.find("\n\n");
  const auto end = std::min(crlf, lf);
  if (!response.starts_with("HTTP/1.") || end == std::string::npos) throw TlsError("OCSP responder sent invalid response");
  const auto space = response.find(' ');
  if (space > end) throw TlsError("OCSP responder sent invalid response");
  if (response.compare(space, 4, " 200") != 0)
    throw TlsError("OCSP responder sent status " + response.substr(space + 1, std::min<std::size_t>(3, end - space - 1)));
  return response.substr(end + (end == crlf ? 4 : 2));
}

Task<Result<std::string>> ask_ocsp_responder(Address address, std::string request, Deadline last) {
  const Deadline deadline = Deadline::in(kPatience, Wait::upstream_read).earlier(last);
  Result<Fd> fd = start_connecting(address);
  if (!fd) co_return fd.error();
  Stream stream(std::move(*fd));
  const Result<void> sent = co_await send(stream, request, deadline);
  if (!sent) co_return sent.error();
  std::string response;
  char piece[4096];
  while (response.size() <= kLargest) {
    const Result<std::size_t> n = co_await read_some(stream, piece, deadline);
    if (!n && n.error() == Errc::peer_closed) co_return response;
    if (!n) co_return n.error();
    response.append(piece, *n);
  }
  co_return Errc::body_too_large;
}

}  // namespace seawall
