#include "seawall/server/multipart_body.h"

namespace seawall {

MultipartBody::MultipartBody(std::vector<Body> pieces) : pieces_(std::move(pieces)) {
  for (const Body& piece : pieces_) length_ += *length_of(piece);
}

Task<Result<Piece>> MultipartBody::read() {
  if (!current_) current_ = reader_of(std::move(pieces_[next_++]));
  Result<Piece> piece = co_await current_->read();
  if (!piece || !piece->last) co_return piece;
  current_.reset();
  piece->last = next_ == pieces_.size();
  co_return piece;
}

}  // namespace seawall
