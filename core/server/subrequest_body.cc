#include "seawall/server/subrequest_body.h"

namespace seawall {
namespace {

// Of a tunnel there is nothing to be shown.
std::unique_ptr<Reader> bytes_of(std::optional<Response>& response) {
  if (!response || std::holds_alternative<std::unique_ptr<Tunnel>>(response->body)) return reader_of(Body());
  return reader_of(std::move(response->body));
}

}  // namespace

Task<Result<Piece>> SubrequestBody::read() {
  if (!begun_) {
    begun_ = true;
    response_ = co_await subrequest_.run();
    if (response_) status_ = response_->status;
    location_ = subrequest_.exchange().location;
    body_ = bytes_of(response_);
  }
  Result<Piece> piece = co_await body_->read();
  if (!piece || !piece->last) co_return piece;
  body_.reset();
  response_.reset();
  co_await subrequest_.end();
  co_return piece;
}

}  // namespace seawall
