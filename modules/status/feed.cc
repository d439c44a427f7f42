#include "feed.h"

#include "report.h"
#include "seawall/async/event.h"

namespace seawall::status {
namespace {

constexpr Milliseconds kBetween{1000};

}  // namespace

Task<Result<Piece>> Feed::read() {
  if (std::exchange(begun_, true)) {
    const Errc slept = co_await sleep_until(Deadline::in(kBetween, Wait::send));
    if (slept == Errc::cancelled || x_.loop.stopping()) co_return Piece(Slice(), true);
  }
  co_return Piece(Slice::copy("data: " + report() + "\n\n"), false);
}

}  // namespace seawall::status
