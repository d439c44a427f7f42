#include "seawall/server/request_body.h"

#include "seawall/server/core_conf.h"
#include "seawall/server/exchange.h"

namespace seawall {

Task<Result<Piece>> RequestBody::read(Exchange& x) {
  if (ended_) co_return Piece(Slice(), true);
  Result<Piece> piece = co_await source_->read(x);
  if (!piece) {
    x.keep_alive = false;
    co_return piece.error();
  }
  received_ += piece->data.size();
  ended_ = piece->last;
  const std::int64_t limit = *x.core().client_max_body_size;
  if (limit > 0 && received_ > static_cast<std::uint64_t>(limit)) {
    x.keep_alive = false;
    x.log(Level::error, "client intended to send too large chunked body: " + std::to_string(received_) + " bytes");
    co_return Errc::body_too_large;
  }
  co_return piece;
}

Task<Result<Slice>> RequestBody::read_all(Exchange& x) {
  if (kept_) co_return *kept_;
  std::string whole;
  while (!ended_) {
    Result<Piece> piece = co_await read(x);
    if (!piece) co_return piece.error();
    whole.append(piece->data.view());
  }
  kept_ = Slice::from(std::move(whole));
  co_return *kept_;
}

const Headers& RequestBody::trailers() const {
  static const Headers none;
  return source_ ? source_->trailers() : none;
}

Task<Result<void>> RequestBody::discard(Exchange& x) {
  while (!ended_) {
    Result<Piece> piece = co_await read(x);
    if (!piece) co_return piece.error();
  }
  co_return Result<void>();
}

}  // namespace seawall
