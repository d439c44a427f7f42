#include "seawall/http/part_of_reader.h"

#include <algorithm>

#include "seawall/base/error.h"

namespace seawall {
namespace {

class Part final : public Reader {
 public:
  Part(std::unique_ptr<Reader> whole, std::uint64_t begin, std::uint64_t end)
      : whole_(std::move(whole)), skip_(begin), left_(end - begin), length_(end - begin) {}

  Task<Result<Piece>> read() override {
    for (;;) {
      Result<Piece> piece = co_await whole_->read();
      if (!piece) co_return piece;
      const std::size_t skipped = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, piece->data.size()));
      skip_ -= skipped;
      const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(left_, piece->data.size() - skipped));
      left_ -= taken;
      if (left_ == 0) co_return Piece(piece->data.sub(skipped, taken), true);
      if (piece->last) co_return Errc::truncated;
      // Nothing of it: the body may have paused, which is told on; else it goes on until there is something.
      if (taken > 0 || piece->data.empty()) co_return Piece(piece->data.sub(skipped, taken), false);
    }
  }
  std::optional<std::uint64_t> length() const override { return length_; }

 private:
  const std::unique_ptr<Reader> whole_;
  std::uint64_t skip_, left_;
  const std::uint64_t length_;
};

}  // namespace

std::unique_ptr<Reader> part_of_reader(std::unique_ptr<Reader> whole, std::uint64_t begin, std::uint64_t end) {
  if (auto* partial = dynamic_cast<PartialReader*>(whole.get())) {
    partial->narrow(begin, end);
    return whole;
  }
  return std::make_unique<Part>(std::move(whole), begin, end);
}

}  // namespace seawall
