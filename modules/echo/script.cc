#include "script.h"

#include "seawall/async/event.h"

namespace seawall::echo {
namespace {

// What is gathered before it is sent.
constexpr std::size_t kPiece = 64 * 1024;

bool may_wait(Command::Kind kind) {
  return kind != Command::Kind::text && kind != Command::Kind::duplicate && kind != Command::Kind::exec;
}

std::string copies_of(const Command& command, Exchange& x) {
  const std::string word = command.words.front().eval(x);
  std::string out;
  out.reserve(word.size() * static_cast<std::size_t>(command.count));
  for (std::int64_t i = 0; i < command.count; ++i) out += word;
  return out;
}

}  // namespace

Task<Result<Piece>> Script::read() {
  std::string out;
  for (;;) {
    if (location_) {
      Result<Piece> piece = co_await location_->read();
      if (!piece) co_return piece.error();
      if (piece->last) location_.reset();
      const bool last = commands_.empty() && !location_;
      if (!piece->data.empty() || last) co_return Piece(std::move(piece->data), last);
      continue;
    }
    if (commands_.empty()) {
      const bool last = !apart_ || out.empty();
      co_return Piece(Slice::from(std::move(out)), last);
    }
    const Command& command = commands_.front();
    // What was said before a wait is sent before it.
    if (!out.empty() && (apart_ || may_wait(command.kind) || out.size() >= kPiece)) co_return Piece(Slice::from(std::move(out)), false);
    commands_ = commands_.subspan(1);
    Result<void> done = co_await run(command, out);
    if (!done) co_return done.error();
    if (command.kind == Command::Kind::flush) co_return Piece(Slice(), commands_.empty());
  }
}

Task<Result<void>> Script::run(const Command& command, std::string& out) {
  switch (command.kind) {
    case Command::Kind::text: out += text_of(command, x_); break;
    case Command::Kind::duplicate: out += copies_of(command, x_); break;
    case Command::Kind::location: {
      Target target = target_of(command, x_);
      location_ = std::make_unique<SubrequestBody>(x_, std::move(target.uri), std::move(target.args));
      break;
    }
    case Command::Kind::sleep: {
      const auto pause = pause_of(command, x_);
      if (!pause) co_return Errc::truncated;
      const Errc waited = co_await sleep_until(Deadline::in(*pause, Wait::handler));
      if (waited == Errc::cancelled) co_return waited;
      break;
    }
    case Command::Kind::read_body:
    case Command::Kind::request_body: {
      Result<Slice> body = co_await x_.body.read_all(x_);
      if (!body) co_return body.error();
      if (command.kind == Command::Kind::request_body) out += body->view();
      break;
    }
    case Command::Kind::flush:
    case Command::Kind::exec: break;
  }
  co_return Result<void>();
}

}  // namespace seawall::echo
