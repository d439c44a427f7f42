// Several bodies of known length, one after another, as one. One loop.
#pragma once
#include <vector>

#include "seawall/http/body.h"

namespace seawall {

class MultipartBody final : public Reader {
 public:
  // At least one; each with a length_of().
  explicit MultipartBody(std::vector<Body> pieces);
  Task<Result<Piece>> read() override;
  std::optional<std::uint64_t> length() const override { return length_; }

 private:
  std::vector<Body> pieces_;
  std::size_t next_ = 0;
  std::unique_ptr<Reader> current_;
  std::uint64_t length_ = 0;
};

}  // namespace seawall
