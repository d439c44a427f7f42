#include "sliced_body.h"

#include <algorithm>

#include "content_range.h"

namespace seawall::slice {

std::optional<Part> judge(const Exchange& x, const Response& response, std::uint64_t start, std::uint64_t size, std::string_view etag) {
  const auto wrong = [&](const std::string& what) {
    x.log(Level::error, what + " in slice response");
    return std::nullopt;
  };
  if (response.status != 206) return wrong("unexpected status code " + std::to_string(response.status));
  if (!etag.empty() && response.headers.get(FieldId::etag) != etag) return wrong("etag mismatch");
  const std::optional<ContentRange> range = parse_content_range(response.headers.get(FieldId::content_range));
  if (!range) return wrong("invalid range");
  if (!range->complete) return wrong("no complete length");
  const std::uint64_t end = std::min(start + size, *range->complete);
  if (range->begin != start || range->end != end) {
    x.log(Level::error, "unexpected range in slice response: " + std::to_string(range->begin) + "-" + std::to_string(range->end) +
                            ", expected: " + std::to_string(start) + "-" + std::to_string(end));
    return std::nullopt;
  }
  Part part;
  part.end = end;
  part.complete = *range->complete;
  return part;
}

SlicedBody::SlicedBody(Exchange& x, const Conf& conf, std::unique_ptr<Reader> first, std::uint64_t begin, std::uint64_t end,
                       std::uint64_t complete, std::string etag)
    : x_(x), size_(static_cast<std::uint64_t>(*conf.size)), conf_(conf), complete_(complete), end_(complete),
      etag_(std::move(etag)), part_(std::move(first)), at_(begin), part_end_(end) {}

void SlicedBody::narrow(std::uint64_t begin, std::uint64_t end) {
  begin_ = begin;
  end_ = end;
}

// The first part was chosen by what the request seemed to ask for; what it gets may begin in another.
void SlicedBody::begin() {
  begun_ = true;
  if (at_ <= begin_ && begin_ < part_end_) return;
  part_.reset();
  at_ = begin_ / size_ * size_;
}

Task<Result<Piece>> SlicedBody::read() {
  if (!begun_) begin();
  for (;;) {
    if (!part_) {
      Result<void> asked = co_await ask_for_part();
      if (!asked) co_return asked.error();
    }
    Result<Piece> read = co_await part_->read();
    if (!read) co_return read;
    const bool part_ends = read->last;
    Result<Piece> piece = take(std::move(*read));
    if (!piece) co_return piece;
    if (part_ends || piece->last) {
      part_.reset();
      response_.reset();
      // What is left of the last part only a cache wants: that is nothing to wait for.
      if (subrequest_ && !piece->last) co_await subrequest_->end();
      subrequest_.reset();
    }
    if (!piece->data.empty() || piece->last || !part_ends) co_return piece;
  }
}

// What is wanted of a piece; a part that is longer or shorter than it said would move all that follows.
Result<Piece> SlicedBody::take(Piece piece) {
  const std::uint64_t from = at_;
  at_ += piece.data.size();
  if (at_ > part_end_ || (piece.last && at_ < part_end_)) return Errc::truncated;
  const std::uint64_t begin = std::clamp(begin_, from, at_), end = std::clamp(end_, begin, at_);
  return Piece(piece.data.sub(static_cast<std::size_t>(begin - from), static_cast<std::size_t>(end - begin)), at_ >= end_);
}

Task<Result<void>> SlicedBody::ask_for_part() {
  subrequest_.emplace(x_, x_.uri, x_.args, Subrequest::Life::background);  // so that a part that is begun may be kept
  subrequest_->repeat_content();
  State& state = subrequest_->exchange().state<SliceModule>();
  state.conf = &conf_;
  state.start = at_;
  response_ = co_await subrequest_->run();
  if (!response_) co_return Errc::truncated;
  const std::optional<Part> part = judge(x_, *response_, at_, size_, etag_);
  if (!part) co_return Errc::truncated;
  if (part->complete != complete_) {
    x_.log(Level::error, "unexpected length in slice response: " + std::to_string(part->complete) + ", expected: " +
                             std::to_string(complete_));
    co_return Errc::truncated;
  }
  part_end_ = part->end;
  part_ = reader_of(std::move(response_->body));
  co_return Result<void>();
}

}  // namespace seawall::slice
