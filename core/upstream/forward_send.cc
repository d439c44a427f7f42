// The request on its way: what the socket takes at once goes at once; a task sends the rest while the answer is awaited, which may
// come before the upload has ended.
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "seawall/net/loop.h"
#include "seawall/server/core_conf.h"
#include "seawall/upstream/forwarding.h"
#include "seawall/upstream/upstream_wait.h"

namespace seawall {
namespace {

constexpr std::size_t kPiece = 32 * 1024;  // what a protocol frames at once

}  // namespace

void Forwarding::add_framed(std::string_view data, bool last) {
  before_.clear();
  after_.clear();
  protocol_.frame(data.size(), last, before_, after_);
  add_piece(before_);
  add_piece(data);
  add_piece(after_);
}

void Forwarding::send() {
  doing_ = "sending request to upstream";
  protocol_.restart();
  head_.clear();
  pieces_.clear();
  piece_ = 0;
  send_error_ = client_error_ = {};
  sent_ = false;
  const bool passes = *conf_.pass_request_body && x_.body.present() && !to_.own_body;
  const bool streams = passes && !x_.body.kept() && !x_.body.file() && (first_ || !x_.body.ended());
  std::string_view whole;  // a body in memory
  if (to_.own_body) whole = to_.own_body->view();
  else if (passes && x_.body.kept()) whole = x_.body.kept()->view();
  std::optional<std::uint64_t> length = whole.size();
  if (passes && x_.body.file()) length = x_.body.file()->length;
  else if (streams) length = x_.body.length();
  protocol_.write_head(head_, length);
  if (to_.http2) request_sent_ = true;
  add_piece(head_);
  if (streams) return start_stream();
  body_in_pieces_ = !whole.empty() && whole.size() <= kPiece;
  if (body_in_pieces_) add_framed(whole, true);
  const Result<bool> done = try_send();
  if (done && *done && (body_in_pieces_ || length == 0)) {
    sent_ = true;
    doing_ = "reading response header from upstream";
    return;
  }
  if (!done) {
    send_error_ = done.error();
    return;
  }
  sending_ = true;
  sending_ended_.reset();
  tasks().spawn(send_rest(shared_from_this(), false));
}

// What has come of the body already goes with the head, in one packet; where nothing has, the head goes alone, and what the socket
// does not take of it at once does not wait for the client's next byte.
void Forwarding::start_stream() {
  if (!first_) x_.body.keep_small(*x_.core().client_body_buffer_size);
  sending_ = true;
  sending_ended_.reset();
  tasks().spawn(send_rest(shared_from_this(), true));
  if (!sending_ || first_ || body_begun_) return;
  const Result<bool> done = try_send();
  if (!done) {
    send_error_ = done.error();
  } else if (!*done) {
    head_waits_ = true;
    head_gone_.reset();
    send_scope_->spawn(send_head(shared_from_this()));
  }
}

// Beside send_stream(), which waits for the body's first bytes meanwhile.
Task<void> Forwarding::send_head(std::shared_ptr<Forwarding> self) {
  Forwarding& f = *self;
  const Result<void> sent = co_await f.send_pieces();
  if (!sent) f.send_error_ = sent.error();
  f.head_waits_ = false;
  f.head_gone_.set();
  if (!sent && f.connection_) f.connection_->interrupt(Socket::reading, Errc::ok);
}

// No other server will be asked: the first bytes of the body need not be held.
void Forwarding::no_more_attempts() {
  body_begun_ = true;
  first_.reset();
}

// What is left of pieces_, as far as the socket takes it.
Result<bool> Forwarding::try_send() {
  if (!connection_) return Errc::cancelled;  // the answer ended while the socket's word was on its way
  while (piece_ < pieces_.size()) {
    const Io io = connection_->try_write({pieces_.data() + piece_, pieces_.size() - piece_});
    if (io.kind == Io::failed || io.kind == Io::eof) return error_of(io);
    if (io.kind != Io::done) return false;
    request_sent_ = true;
    attempts_.all[attempt_].bytes_sent += io.n;
    std::size_t n = io.n;
    while (piece_ < pieces_.size() && n >= pieces_[piece_].iov_len) n -= pieces_[piece_++].iov_len;
    if (n == 0) continue;
    pieces_[piece_].iov_base = static_cast<char*>(pieces_[piece_].iov_base) + n;
    pieces_[piece_].iov_len -= n;
  }
  const Io flushed = connection_->try_flush();
  if (flushed.kind == Io::failed || flushed.kind == Io::eof) return error_of(flushed);
  return flushed.kind == Io::done;
}

Task<Result<void>> Forwarding::send_pieces() {
  for (;;) {
    const Result<bool> done = try_send();
    if (!done) co_return done.error();
    if (*done) break;
    const Errc waited = co_await UpstreamWait(*connection_, Io::wants_write(), Deadline::in(send_timeout(), Wait::upstream_send));
    if (waited != Errc::ok) co_return waited;
  }
  pieces_.clear();
  piece_ = 0;
  co_return Result<void>();
}

Task<Result<void>> Forwarding::send_framed(std::string_view data, bool last) {
  add_framed(data, last);
  co_return co_await send_pieces();
}

// A body that is kept: in memory and longer than a piece, or in a file.
Task<Result<void>> Forwarding::send_file() {
  const FilePart* const file = to_.own_body ? nullptr : x_.body.file();
  const std::string_view memory = to_.own_body ? to_.own_body->view() : x_.body.kept() ? x_.body.kept()->view() : std::string_view();
  const std::uint64_t size = file ? file->length : memory.size();
  std::string piece;
  for (std::uint64_t at = 0; at < size;) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, size - at));
    std::string_view data;
    if (file) {
      piece.resize(wanted);
      const ssize_t n = ::pread(file->file->fd.get(), piece.data(), wanted, static_cast<off_t>(at));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) co_return n < 0 ? system_error_code(errno) : make_error_code(Errc::truncated);
      data = std::string_view(piece.data(), static_cast<std::size_t>(n));
    } else {
      data = memory.substr(static_cast<std::size_t>(at), wanted);
    }
    at += data.size();
    Result<void> sent = co_await send_framed(data, at == size);
    if (!sent) co_return sent;
  }
  co_return Result<void>();
}

Task<Result<void>> Forwarding::send_piece(Piece piece) {
  std::string_view data = piece.data.view();
  bool last = false;
  do {
    const std::string_view part = data.substr(0, kPiece);
    data.remove_prefix(part.size());
    last = piece.last && data.empty();
    if (part.empty() && !last) break;
    Result<void> sent = co_await send_framed(part, last);
    if (!sent) co_return sent;
  } while (!data.empty());
  co_return Result<void>();
}

// The client's body as it comes.
Task<Result<void>> Forwarding::send_stream() {
  Result<void> sent;
  if (first_) sent = co_await send_piece(*first_);
  while (sent && !x_.body.ended()) {
    Result<Piece> piece = co_await x_.body.read(x_);
    if (!piece) {
      // Cancelled by ourselves, because the answer has come, says nothing about the client.
      if (piece.error() != Errc::cancelled) client_error_ = piece.error();
      co_return piece.error();
    }
    if (first_ || body_begun_) no_more_attempts();
    else first_ = *piece;
    // send_head() has send_timeout for each of its waits; of all of them together this is the bound.
    if (head_waits_) co_await head_gone_.wait(x_.last_deadline(Wait::upstream_send));
    if (head_waits_ || !connection_) co_return Errc::cancelled;
    if (send_error_) co_return send_error_;
    sent = co_await send_piece(std::move(*piece));
  }
  co_return sent;
}

// Runs beside the wait for the answer, which it wakes at its end: only now does the time for the answer run.
Task<void> Forwarding::send_rest(std::shared_ptr<Forwarding> self, bool streams) {
  Forwarding& f = *self;
  Scope own(&f.tasks());
  f.send_scope_ = &own;
  Result<void> done;
  if (streams) {
    done = co_await f.send_stream().in(own);
    if (!done) own.cancel();
    co_await own.join();  // the head may still be waiting
  } else {
    const bool passes = *f.conf_.pass_request_body && (f.x_.body.kept() || f.x_.body.file());
    const bool more = !f.body_in_pieces_ && (f.to_.own_body || passes);
    done = co_await f.send_pieces().in(own);
    if (done && more) done = co_await f.send_file().in(own);
  }
  f.send_scope_ = nullptr;
  f.sending_ = false;
  f.sent_ = done.has_value();
  if (!done) f.send_error_ = done.error();
  else if (f.doing_ == std::string_view("sending request to upstream")) f.doing_ = "reading response header from upstream";
  f.sending_ended_.set();
  if (f.connection_) f.connection_->interrupt(Socket::reading, Errc::ok);
}

Task<bool> Forwarding::stop_sending() {
  if (!sending_) co_return true;
  if (send_scope_) send_scope_->cancel();
  const Errc waited = co_await sending_ended_.wait(Deadline::never(Wait::upstream_send));
  co_return waited == Errc::ok;
}

}  // namespace seawall
