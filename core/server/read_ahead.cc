#include "seawall/server/read_ahead.h"

#include <exception>
#include <optional>

#include "seawall/async/event.h"
#include "seawall/server/exchange.h"

namespace seawall {

class ReadAhead::Read {
 public:
  explicit Read(std::unique_ptr<Reader> body) : body(std::move(body)) {}

  static Task<void> run(std::shared_ptr<Read> self) {
    try {
      self->piece = co_await self->body->read();
    } catch (...) {  // handed to take()
      self->thrown = std::current_exception();
    }
    self->under_way = false;
    self->ended.set();
  }

  std::unique_ptr<Reader> body;
  std::optional<Result<Piece>> piece;
  std::exception_ptr thrown;
  bool under_way = false;
  Event ended;
};

ReadAhead::ReadAhead(Exchange& x, std::unique_ptr<Reader> body) : x_(x), read_(std::make_shared<Read>(std::move(body))) {}
ReadAhead::~ReadAhead() = default;

bool ReadAhead::start() {
  Read& read = *read_;
  // The handler was cut short, and this is what error_page has for that: nothing goes on beside it any more.
  if (x_.scope.cancelled() && !read.under_way) return true;
  if (!read.under_way && !read.piece && !read.thrown) {
    read.under_way = true;
    read.ended.reset();
    x_.scope.spawn(Read::run(read_));
  }
  return !read.under_way;
}

Task<Result<Piece>> ReadAhead::take() {
  Read& read = *read_;
  if (read.under_way) {
    const Errc waited = co_await read.ended.wait(x_.last_deadline(Wait::handler));
    if (waited != Errc::ok) co_return waited;
  }
  if (!read.piece && !read.thrown) co_return co_await read.body->read();
  if (read.thrown) std::rethrow_exception(std::exchange(read.thrown, nullptr));
  Result<Piece> piece = std::move(*read.piece);
  read.piece.reset();
  co_return piece;
}

Headers ReadAhead::trailers() { return read_->body->trailers(); }

}  // namespace seawall
