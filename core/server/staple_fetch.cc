#include "seawall/server/staple_fetch.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <string>

#include "seawall/log/log.h"
#include "seawall/net/stream.h"
#include "seawall/tls/error.h"
#include "seawall/tls/stapling.h"

namespace seawall {
namespace {

constexpr Milliseconds kPatience{10'000};  // for all that one address has to say
constexpr std::size_t kLargest = 64 * 1024;
constexpr std::size_t kAtOnce = 16;
constexpr std::int64_t kLongestSleep = 3600;

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

// RFC 6960, A.1: a GET, which caches can answer. HTTP/1.0: the response ends with the connection.
std::string request_for(const Staple& staple) {
  const Responder& responder = staple.responder();
  std::string text = "GET " + responder.path;
  if (!text.ends_with('/')) text += '/';
  return text + escaped(staple.request()) + " HTTP/1.0\r\nHost: " + responder.host + "\r\n\r\n";
}

Result<Fd> start_connecting(const Address& address) {
  Fd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return system_error_code(errno);
  if (::connect(fd.get(), address.data(), address.size()) < 0 && errno != EINPROGRESS) return system_error_code(errno);
  return fd;
}

// The body of a whole response. TlsError: it is none, or no success.
std::string body_of(const std::string& response) {
  const auto crlf = response.find("\r\n\r\n"), lf = response.find("\n\n");
  const auto end = std::min(crlf, lf);
  if (!response.starts_with("HTTP/1.") || end == std::string::npos) throw TlsError("OCSP responder sent invalid response");
  const auto space = response.find(' ');
  if (space > end) throw TlsError("OCSP responder sent invalid response");
  if (response.compare(space, 4, " 200") != 0)
    throw TlsError("OCSP responder sent status " + response.substr(space + 1, std::min<std::size_t>(3, end - space - 1)));
  return response.substr(end + (end == crlf ? 4 : 2));
}

// Everything the responder at this address sends.
Task<Result<std::string>> exchange(Address address, std::string request) {
  const Deadline deadline = Deadline::in(kPatience, Wait::upstream_read);
  Result<Fd> fd = start_connecting(address);
  if (!fd) co_return fd.error();
  Stream stream(std::move(*fd));
  const Result<void> sent = co_await write_all(stream, request, kPatience, Wait::upstream_send);
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

void complain(const Staple& staple, const std::string& what) {
  log(Level::error, what + " while requesting certificate status, responder: " + staple.responder().host +
                        ", certificate: \"" + staple.name() + "\"");
}

Task<void> fetch(std::shared_ptr<Staple> staple) {
  std::string complaint = "no address", request;
  try {
    request = request_for(*staple);
  } catch (const TlsError& error) {
    complaint = error.what();
  }
  for (const Address& address : staple->responder().addresses) {
    if (request.empty()) break;
    Result<std::string> response = co_await exchange(address, request);
    if (!response) {
      if (response.error() == Errc::cancelled) co_return;
      complaint = describe(response.error());
      continue;
    }
    try {
      staple->take(body_of(*response), std::time(nullptr));
      co_return;
    } catch (const TlsError& error) {
      complaint = error.what();
    }
  }
  complain(*staple, complaint);
  staple->failed(std::time(nullptr));
}

std::vector<std::shared_ptr<Staple>> all_of(const std::vector<std::shared_ptr<TlsContext>>& contexts) {
  std::vector<std::shared_ptr<Staple>> all;
  for (const auto& context : contexts)
    for (auto& staple : staples_of(context->current().get()))
      if (staple->is_fetched()) all.push_back(std::move(staple));
  return all;
}

// Fetches those that are due, some at a time.
Task<void> fetch_due(std::vector<std::shared_ptr<Staple>> staples) {
  Scope& around = co_await current_scope();
  Scope work(&around);
  const std::int64_t now = std::time(nullptr);
  for (auto& staple : staples) {
    if (staple->due() > now) continue;
    work.spawn(fetch(staple));
    if (work.tasks() >= kAtOnce) co_await work.join();
  }
  co_await work.join();
}

}  // namespace

Task<void> keep_stapled(std::vector<std::shared_ptr<TlsContext>> contexts, Event& renewed) {
  for (;;) {
    renewed.reset();
    co_await fetch_due(all_of(contexts));
    const std::int64_t now = std::time(nullptr);
    std::int64_t next = now + kLongestSleep;
    for (const auto& staple : all_of(contexts)) next = std::min(next, staple->due());
    const Milliseconds pause(std::max<std::int64_t>(next - now, 1) * 1000);
    const Errc waited = co_await renewed.wait(Deadline::in(pause, Wait::upstream_read));
    if (waited == Errc::cancelled) co_return;
  }
}

}  // namespace seawall
