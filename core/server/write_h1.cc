#include "seawall/server/write_h1.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include "seawall/async/event.h"
#include "seawall/async/try_first.h"
#include "seawall/http/h1_response.h"
#include "seawall/server/connection.h"
#include "seawall/server/core_module.h"
#include "seawall/server/earned_time.h"
#include "seawall/server/failures.h"
#include "seawall/server/pace.h"
#include "seawall/server/read_piece.h"
#include "seawall/server/server_name.h"
#include "seawall/server/takeover.h"

namespace seawall {
namespace {

// A head with a body that make no more are copied together: cheaper than a second piece for the kernel to gather.
constexpr std::size_t kOnePiece = 1000;

// Sends within send_timeout between two writes and above send_min_rate while the socket is full. One for a response; what
// the socket takes at once needs no coroutine.
class Sender {
  class Pieces;
  class Flush;

 public:
  Sender(Connection& c, Exchange& x, bool paced) : c_(c), x_(x) {
    if (paced) pace_ = Pace::of(x);
  }

  // All bytes of all pieces, which stay the caller's and are used up.
  TryFirst<Pieces> send(std::span<iovec> pieces, bool file_follows = false);
  // What the stream has accepted but not handed to the socket.
  TryFirst<Flush> flush();

  Task<Result<void>> send_file(const FilePart& part) {
    std::uint64_t offset = part.offset, left = part.length;
    while (left > 0) {
      const std::uint64_t allowed = allowance(left);
      if (allowed == 0) {
        Result<void> turn = co_await wait_for_turn(left);
        if (!turn) co_return turn;
        continue;
      }
      const Io io = c_.stream->try_send_file(part.file->fd.get(), offset, static_cast<std::size_t>(std::min<std::uint64_t>(allowed, SIZE_MAX)));
      if (io.kind == Io::eof) co_return Errc::truncated;
      if (io.kind == Io::done) {
        offset += io.n;
        left -= io.n;
        count(io.n);
        continue;
      }
      Result<void> ready = co_await wait(io);
      if (!ready) co_return ready;
    }
    co_return Result<void>();
  }

  Exchange& exchange() { return x_; }
  // Was it the client that broke off, not who makes the body?
  bool client_failed() const { return client_failed_; }

 private:
  void count(std::size_t n) {
    x_.bytes_sent += n;
    sent_ += n;
    if (pace_) pace_->sent(n);
  }
  // How much of what is left limit_rate lets go now; 0: wait_for_turn().
  std::uint64_t allowance(std::uint64_t left) { return pace_ ? pace_->allowance(x_.loop.now(), left) : left; }
  // Nobody is slow here but us: neither send_timeout nor send_min_rate counts.
  Task<Result<void>> wait_for_turn(std::uint64_t left) {
    const Deadline last = x_.last_deadline(Wait::send);
    const Errc waited = co_await sleep_with_client(Deadline::at(pace_->due(x_.loop.now(), left), Wait::send).earlier(last));
    if (waited != Errc::timed_out) co_return waited;
    if (!last.passed()) co_return Result<void>();
    c_.time_out(Wait::send, x_.core());
    x_.log(failed(*x_.vhost, Failure::timeout_send), "client timed out while sending response to client");
    co_return Errc::timed_out;
  }
  // Timed out, or cancelled; or peer_closed when the client leaves before. Its next request may come meanwhile, and waits.
  Task<Errc> sleep_with_client(Deadline until) {
    Socket& socket = c_.stream->socket();
    char byte;
    Io seen = socket.may_read() ? socket.try_peek({&byte, 1}) : Io::wants_read();
    if (seen.kind == Io::want_read && x_.body.ended()) {
      const Errc waited = co_await socket.wait(Socket::reading, until);
      if (waited != Errc::ok) co_return waited;
      seen = socket.try_peek({&byte, 1});
    }
    if (seen.kind == Io::eof || seen.kind == Io::failed) {
      client_failed_ = true;
      co_return Errc::peer_closed;
    }
    const Errc waited = co_await sleep_until(until);
    co_return waited;
  }
  void advance(std::span<iovec>& pieces, std::size_t n) {
    count(n);
    while (!pieces.empty() && n >= pieces.front().iov_len) {
      n -= pieces.front().iov_len;
      pieces = pieces.subspan(1);
    }
    if (pieces.empty()) return;
    pieces.front().iov_base = static_cast<char*>(pieces.front().iov_base) + n;
    pieces.front().iov_len -= n;
  }

  // What the client has taken: bytes that only wait in our socket's buffer are no progress of its.
  std::int64_t taken() const {
    int unsent = 0;
    ::ioctl(c_.stream->socket().fd(), SIOCOUTQ, &unsent);
    return std::max<std::int64_t>(0, static_cast<std::int64_t>(sent_) - unsent);
  }

  Deadline deadline() const {
    Deadline until = Deadline::in(c_.send_timeout(x_.core()), Wait::send).earlier(x_.last_deadline(Wait::send));
    const std::int64_t rate = *x_.core().send_min_rate;
    if (rate <= 0) return until;
    const std::int64_t allowed = allowed_time(static_cast<std::uint64_t>(taken()), rate) - blocked_;
    return until.earlier(Deadline::at(x_.loop.now() + allowed, Wait::send));
  }

  Task<Result<void>> wait(Io io) {
    if (io.kind == Io::failed || io.kind == Io::eof) {
      client_failed_ = true;
      co_return error_of(io);
    }
    const std::int64_t from = x_.loop.now();
    c_.stretch_user_timeout(c_.send_timeout(x_.core()));
    const Errc waited = co_await wait_for(*c_.stream, io, deadline());
    blocked_ += x_.loop.now() - from;
    if (waited == Errc::ok) co_return Result<void>();
    if (waited == Errc::timed_out) {
      c_.time_out(Wait::send, x_.core());
      x_.log(failed(*x_.vhost, Failure::timeout_send), "client timed out while sending response to client");
    }
    co_return waited;
  }

  // Both: tries again after each wait.
  template <class Work>
  Task<Result<void>> finish(Work& work, const Io& io) {
    for (;;) {
      Result<void> ready;
      if (held_ > 0) ready = co_await wait_for_turn(std::exchange(held_, 0));
      else ready = co_await wait(io);
      if (!ready) co_return ready;
      if (std::optional<Result<void>> done = work.now()) co_return std::move(*done);
    }
  }

  Connection& c_;
  Exchange& x_;
  std::uint64_t sent_ = 0;
  bool client_failed_ = false;
  std::int64_t blocked_ = 0;  // ns spent with a full socket
  std::optional<Pace> pace_;
  std::uint64_t held_ = 0;    // bytes that limit_rate lets go later
};

class Sender::Pieces {
 public:
  Pieces(Sender& sender, std::span<iovec> pieces, bool file_follows)
      : sender_(sender), pieces_(pieces), file_follows_(file_follows) {}

  std::optional<Result<void>> now() {
    Stream& stream = *sender_.c_.stream;
    if (sender_.pace_) return paced();
    while (!pieces_.empty()) {
      io_ = file_follows_ ? stream.socket().try_write(pieces_, true) : stream.try_write(pieces_);
      if (io_.kind != Io::done) return std::nullopt;
      sender_.advance(pieces_, io_.n);
    }
    return Result<void>();
  }
  Task<Result<void>> later() { return sender_.finish(*this, io_); }

 private:
  // One piece a write: each may have to wait for its turn.
  std::optional<Result<void>> paced() {
    while (!pieces_.empty()) {
      iovec first = pieces_.front();
      if (first.iov_len > 0) {
        const std::uint64_t allowed = sender_.allowance(first.iov_len);
        if (allowed == 0) {
          sender_.held_ = first.iov_len;
          return std::nullopt;
        }
        first.iov_len = static_cast<std::size_t>(allowed);
        io_ = sender_.c_.stream->try_write({&first, 1});
        if (io_.kind != Io::done) return std::nullopt;
        sender_.advance(pieces_, io_.n);
      } else {
        pieces_ = pieces_.subspan(1);
      }
    }
    return Result<void>();
  }

  Sender& sender_;
  std::span<iovec> pieces_;
  bool file_follows_;
  Io io_ = Io::wants_write();
};

class Sender::Flush {
 public:
  explicit Flush(Sender& sender) : sender_(sender) {}

  std::optional<Result<void>> now() {
    io_ = sender_.c_.stream->try_flush();
    if (io_.kind == Io::done) return Result<void>();
    return std::nullopt;
  }
  Task<Result<void>> later() { return sender_.finish(*this, io_); }

 private:
  Sender& sender_;
  Io io_ = Io::wants_write();
};

TryFirst<Sender::Pieces> Sender::send(std::span<iovec> pieces, bool file_follows) {
  return TryFirst<Pieces>(std::in_place, *this, pieces, file_follows);
}

TryFirst<Sender::Flush> Sender::flush() { return TryFirst<Flush>(std::in_place, *this); }

// The text of a head, in memory that the thread keeps from one response to the next.
class HeadText {
 public:
  HeadText() : text(std::move(kept())) {
    text.clear();
    text.reserve(kOnePiece);
  }
  ~HeadText() {
    if (text.capacity() <= kMostKept) kept() = std::move(text);
  }
  HeadText(const HeadText&) = delete;
  std::string text;

 private:
  static constexpr std::size_t kMostKept = 4096;
  static std::string& kept() {
    static thread_local std::string text;
    return text;
  }
};

iovec piece_of(std::string_view bytes) { return {const_cast<char*>(bytes.data()), bytes.size()}; }

// How the body's end is told: by length, by chunks, or by closing.
ResponseHeadInfo head_info(Exchange& x, const Response& r) {
  ResponseHeadInfo info;
  info.status = r.status;
  info.server = server_field(x);
  const auto length = length_of(r.body);
  if (may_have_body(r.status)) {
    if (length) info.content_length = *length;
    else if (x.request.version == Version::http11 && *x.core().chunked_transfer_encoding) info.chunked = true;
    else x.keep_alive = false;
  }
  x.chunked_response = info.chunked;
  x.sent_content_length = info.content_length;
  info.keep_alive = x.keep_alive;
  info.upgrade = r.status == 101;
  if (x.keep_alive) info.keep_alive_timeout = x.core().keepalive_timeout->header;
  return info;
}

// A part of a file where the stream wants bytes (TLS): read in pieces that one record or a few take.
Task<Result<void>> send_file_as_bytes(Sender& sender, std::string_view head, const FilePart& part) {
  std::unique_ptr<char[]> memory(new char[static_cast<std::size_t>(std::min<std::uint64_t>(part.length, 48 * 1024)) + 1]);
  std::uint64_t offset = part.offset, left = part.length;
  do {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left, 48 * 1024));
    const ssize_t n = ::pread(part.file->fd.get(), memory.get(), wanted, static_cast<off_t>(offset));
    if (n < 0) co_return system_error_code(errno);
    if (n == 0 && wanted > 0) co_return Errc::truncated;
    std::array<iovec, 2> pieces{piece_of(head), iovec{memory.get(), static_cast<std::size_t>(n)}};
    Result<void> sent = co_await sender.send(pieces);
    if (!sent) co_return sent;
    head = {};
    offset += static_cast<std::uint64_t>(n);
    left -= static_cast<std::uint64_t>(n);
  } while (left > 0);
  co_return Result<void>();
}

// A pulled body: each piece with its chunk frame, the first together with the head. The pieces must add up to a length
// that was announced.
Task<Result<void>> send_reader(Connection& c, Sender& sender, std::string_view head, Reader& reader, const ResponseHeadInfo& info) {
  std::uint64_t total = 0;
  Scope* reading = nullptr;
  for (bool last = false; !last;) {
    Result<Piece> piece = co_await read_piece(c.server, sender.exchange(), reader, reading);
    if (!piece) {
      std::array<iovec, 1> only{piece_of(head)};
      if (!head.empty() && !sender.exchange().aborted) {
        Result<void> sent = co_await sender.send(only);
        if (!sent) co_return sent;
      }
      co_return piece.error();
    }
    last = piece->last;
    total += piece->data.size();
    if (info.content_length && (total > *info.content_length || (last && total < *info.content_length)))
      co_return Errc::truncated;
    std::string frame, tail;
    if (info.chunked && !piece->data.empty()) {
      append_chunk_header(frame, piece->data.size());
      tail = "\r\n";
    }
    if (info.chunked && last) {
      sender.exchange().sent_trailers = reader.trailers();
      append_last_chunk(tail, sender.exchange().sent_trailers);
    }
    std::array<iovec, 4> pieces{piece_of(head), piece_of(frame), piece_of(piece->data.view()), piece_of(tail)};
    Result<void> sent = co_await sender.send(pieces);
    if (!sent) co_return sent;
    if (!head.empty()) sender.exchange().end_handler_clock();
    head = {};
  }
  co_return Result<void>();
}

// The bodies that take more than one write.
Task<Result<void>> send_body(Connection& c, Sender& sender, std::string_view head, Response& response,
                             const ResponseHeadInfo& info) {
  if (auto* reader = std::get_if<std::unique_ptr<Reader>>(&response.body))
    co_return co_await send_reader(c, sender, head, **reader, info);
  const FilePart& part = std::get<FilePart>(response.body);
  const bool sendfile = c.stream->sends_files() && *sender.exchange().conf<FilesModule>().sendfile;
  if (!sendfile) co_return co_await send_file_as_bytes(sender, head, part);
  std::array<iovec, 1> only{piece_of(head)};
  Result<void> sent = co_await sender.send(only, part.length > 0);
  if (!sent) co_return sent;
  co_return co_await sender.send_file(part);
}

// What goes out in one write with the head: a body in memory, or none (a tunnel begins behind the head).
std::optional<std::string_view> bytes_of(const Body& body) {
  if (auto* slice = std::get_if<Slice>(&body)) return slice->view();
  const bool later = std::holds_alternative<FilePart>(body) || std::holds_alternative<std::unique_ptr<Reader>>(body);
  if (later) return std::nullopt;
  return std::string_view();
}

}  // namespace

Task<bool> write_h1(Connection& c, Exchange& x, Response& response) {
  const ResponseHeadInfo info = head_info(x, response);
  HeadText memory;
  std::string& head = memory.text;
  append_head(head, info, response.headers);
  x.status = response.status;
  x.response = &response;
  const bool tunnel = std::holds_alternative<std::unique_ptr<Tunnel>>(response.body);
  if (!tunnel && !carries_body(x.request.method, response.status)) response.body = Body();
  Sender sender(c, x, !tunnel && !std::holds_alternative<std::monostate>(response.body));
  Result<void> sent;
  if (const auto bytes = bytes_of(response.body)) {
    const std::size_t head_size = head.size();
    const bool one = head_size + bytes->size() <= kOnePiece;
    if (one) head += *bytes;
    std::array<iovec, 2> pieces{piece_of(head), one ? iovec{} : piece_of(*bytes)};
    sent = co_await sender.send({pieces.data(), one ? 1u : 2u});
    head.resize(head_size);
  } else {
    sent = co_await send_body(c, sender, head, response, info);
  }
  if (sent) sent = co_await sender.flush();
  x.body_bytes_sent = x.bytes_sent > head.size() ? x.bytes_sent - head.size() : 0;
  x.completed = sent.has_value();
  if (sent) co_return true;
  if (sent.error() == Errc::cancelled && !sender.client_failed() && is_taken_over(x)) {
    sent = co_await sender.flush();
    if (sent) co_return false;
  }
  taken_over(x).reset();  // nobody goes on behind a broken head
  if (sent.error() != Errc::timed_out && sent.error() != Errc::cancelled)
    x.log(sender.client_failed() ? failed(*x.vhost, Failure::reset_send) : Level::info,
          describe(sent.error()) + " while sending response to client");
  // Where the close is the end of the body, an orderly one would pass the half for the whole.
  if (carries_body(x.request.method, response.status) && !info.chunked && !info.content_length) c.close_with_reset();
  co_return false;
}

}  // namespace seawall
