// The body on its way back: read from the upstream when the writer asks, and (buffering) by a task while the writer waits for a slow
// client: into memory, then into a file, then not at all until there is room again.
#include <algorithm>

#include "seawall/net/loop.h"
#include "seawall/upstream/forwarding.h"
#include "seawall/upstream/h2_request.h"
#include "seawall/upstream/upstream_wait.h"

namespace seawall {
namespace {

constexpr std::size_t kLargestRead = 64 * 1024, kLeastRoom = 2 * 1024;

}  // namespace

std::size_t Forwarding::memory() const {
  return std::max<std::size_t>(kLargestRead, static_cast<std::size_t>(conf_.buffers->total()));
}

std::span<char> Forwarding::room() {
  Buffer& in = connection_->in;
  return in.prepare(in.room() >= kLeastRoom ? kLeastRoom : read_size_);
}

bool Forwarding::may_spill() const {
  return buffering_ && static_cast<std::int64_t>(spill_.file_size()) < *conf_.max_temp_file_size;
}

bool Forwarding::queue_is_full() const { return (queued_ >= memory() || !spill_.empty()) && !may_spill(); }

bool Forwarding::spill(std::string_view data) {
  if (!spill_.is_open()) {
    if (Result<void> opened = spill_.open(*conf_.temp_path); !opened) {
      log(Level::crit, "a temporary file in \"" + *conf_.temp_path + "\" failed " + describe(opened.error()));
      return false;
    }
    log(Level::warn, "an upstream response is buffered to a temporary file");
  }
  if (Result<void> written = spill_.append(data); !written) {
    log(Level::crit, "writing a temporary file failed " + describe(written.error()));
    return false;
  }
  return true;
}

void Forwarding::push(Slice data) {
  if (data.empty()) return;
  body_read_ += data.size();
  attempts_.all[attempt_].response_length += data.size();
  if (cache_) cache_->append(data.view());
  if (stored_) stored_->append(data.view());
  if (filling_) return;
  // What follows something in the file goes there, too: the order is the queue's, then the file's.
  if (!spill_.empty() || (queued_ >= memory() && may_spill())) {
    if (!spill(data.view())) break_off(Errc::exhausted);
    return;
  }
  queued_ += data.size();
  queue_.push(std::move(data));
}

// What has come and not been taken apart yet.
void Forwarding::take_apart() {
  while (!ended_ && !broken_) {
    Result<std::optional<Piece>> piece = protocol_.read_body(connection_->in);
    if (!piece) {
      log(Level::error, protocol_.complaint());
      return break_off(piece.error());
    }
    if (!*piece) return;
    push(std::move((**piece).data));
    if ((**piece).last && !broken_) finish();
  }
}

// The connection is another's, or closed; a reader that waits for it is woken and told nothing of it.
void Forwarding::finish() {
  ended_ = true;
  if (cache_ && !from_cache_) cache_->commit();
  store();
  attempts_.trailers = protocol_.take_trailers();
  connection_->interrupt(Socket::reading, Errc::cancelled);
  if (sending_ && send_scope_) send_scope_->cancel();
  if (!connection_->in.empty()) log(Level::warn, "upstream sent more data than it announced");
  const bool reusable = sent_ && !attempts_.only && protocol_.is_reusable() && connection_->in.empty();
  if (reusable) {
    connection_->kept_for = choosing_.keeps;
    group_.pool.put(std::move(connection_));
  }
  end_attempt(Tried::done);
  x_.upstream.clear();
}

void Forwarding::break_off(std::error_code error) {
  broken_ = error;
  if (cache_) cache_->give_up();
  stored_.reset();
  if (connection_) connection_->interrupt(Socket::reading, Errc::cancelled);
  if (sending_ && send_scope_) send_scope_->cancel();
  end_attempt(Tried::done);
}

Io Forwarding::pull() {
  std::span<char> into = room();
  if (rate_ > 0) into = into.first(std::min<std::size_t>(into.size(), static_cast<std::size_t>(std::max<std::int64_t>(1, allowed()))));
  const Io io = connection_->try_read(into);
  if (io.kind == Io::done) {
    if (io.n == into.size() && rate_ == 0) read_size_ = std::min(read_size_ * 2, kLargestRead);
    connection_->in.commit(io.n);
    attempts_.all[attempt_].bytes_received += io.n;
    last_read_ = x_.loop.now();
    take_apart();
  } else if (io.kind == Io::eof) {
    if (protocol_.may_end_here()) finish();
    else {
      log(Level::error, "upstream prematurely closed connection");
      break_off(Errc::truncated);
    }
  } else if (io.kind == Io::failed) {
    log_failed("recv()", error_of(io));
    break_off(error_of(io));
  }
  return io;
}

std::optional<Result<Piece>> Forwarding::take() {
  if (!queue_.empty()) {
    Slice data = queue_.pop();
    queued_ -= data.size();
    room_.set();
    return Result<Piece>(Piece(std::move(data), ended_ && queue_.empty() && spill_.empty()));
  }
  if (!spill_.empty()) {
    Result<Slice> data = spill_.take(kLargestRead);
    if (!data) return Result<Piece>(data.error());
    room_.set();
    return Result<Piece>(Piece(std::move(*data), ended_ && spill_.empty()));
  }
  if (ended_) return Result<Piece>(Piece(Slice(), true));
  if (broken_) return Result<Piece>(broken_);
  return std::nullopt;
}

std::int64_t Forwarding::allowed() const {
  const std::int64_t seconds = (x_.loop.now() - rate_from_) / 1'000'000'000 + 1;
  return rate_ * seconds - static_cast<std::int64_t>(body_read_);
}

// The server has been silent for too long. Where for half of that time nothing else has come on a connection that requests share, it
// may be dead: nobody else is to wait for it.
void Forwarding::distrust() {
  if (!connection_ || !connection_->request) return;
  const std::int64_t silent = x_.loop.now() - connection_->request->silent_since();
  if (silent >= std::chrono::nanoseconds(read_timeout()).count() / 2) connection_->request->distrust_connection();
}

// A wait may have been made before the last read: then it goes on.
Errc Forwarding::after_wait(Errc waited) {
  const std::int64_t until = last_read_ + std::chrono::nanoseconds(read_timeout()).count();
  if (waited != Errc::timed_out || until > x_.loop.now()) return waited == Errc::timed_out ? Errc::ok : waited;
  log(Level::error, "upstream timed out (110: Connection timed out)");
  distrust();
  break_off(Errc::timed_out);
  return Errc::ok;  // broken_ says it
}

Task<Errc> Forwarding::wait_for_more(Io io) {
  if (reading_ahead_) {
    more_.reset();
    co_return co_await more_.wait(Deadline::never(Wait::upstream_read));
  }
  last_read_ = x_.loop.now();  // a writer that was slow is no upstream that is
  const Errc waited = co_await UpstreamWait(*connection_, io, Deadline::in(read_timeout(), Wait::upstream_read));
  if (ended_ || broken_) co_return Errc::ok;
  co_return after_wait(waited);
}

Task<Result<Piece>> Forwarding::read() {
  for (;;) {
    if (std::optional<Result<Piece>> piece = take()) {
      const bool more = piece->has_value() && !ended_ && !broken_;
      if (more && buffering_ && !reading_ahead_ && rate_ == 0) tasks().spawn(read_ahead(shared_from_this()));
      co_return std::move(*piece);
    }
    if (rate_ > 0 && allowed() <= 0) {
      const Errc slept = co_await sleep_until(Deadline::in(Milliseconds(100), Wait::upstream_read));
      if (slept == Errc::cancelled) co_return slept;
      continue;
    }
    if (rate_ > 0 && !connection_->in.empty()) {
      take_apart();
      if (!queue_.empty() || ended_ || broken_) continue;
    }
    const Io io = pull();
    if (io.kind != Io::want_read && io.kind != Io::want_write) continue;
    const Errc waited = co_await wait_for_more(io);
    if (waited != Errc::ok) co_return waited;
  }
}

Task<void> Forwarding::read_ahead(std::shared_ptr<Forwarding> self) {
  Forwarding& f = *self;
  f.reading_ahead_ = true;
  Errc waited = Errc::ok;
  while (waited == Errc::ok && !f.ended_ && !f.broken_) {
    if (f.queue_is_full()) {
      f.room_.reset();
      waited = co_await f.room_.wait(Deadline::never(Wait::upstream_read));
      f.last_read_ = f.x_.loop.now();
      continue;
    }
    const Io io = f.pull();
    if (io.kind == Io::want_read || io.kind == Io::want_write) {
      const std::int64_t until = f.last_read_ + std::chrono::nanoseconds(f.read_timeout()).count();
      waited = co_await UpstreamWait(*f.connection_, io, Deadline::at(until, Wait::upstream_read));
      if (f.ended_ || f.broken_) break;
      waited = f.after_wait(waited);
    }
    f.more_.set();
  }
  f.reading_ahead_ = false;
  f.more_.set();
}

void Forwarding::let_go_of_body() {
  if (fills_cache()) x_.background.spawn(fill_cache(shared_from_this()));
}

Headers Forwarding::take_trailers() {
  Headers passed;
  for (const Field& field : attempts_.trailers.all())
    if (*conf_.pass_trailers && !conf_.hides(field)) passed.add(field.name, field.value);
  return passed;
}

}  // namespace seawall
