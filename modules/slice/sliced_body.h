// SlicedBody: the parts of a response, one after the other, as its whole body. The first is there already, the others are asked for
// when it is their turn. One loop.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "conf.h"
#include "seawall/http/part_of_reader.h"
#include "seawall/server/subrequest.h"

namespace seawall::slice {

class SlicedBody final : public PartialReader {
 public:
  // `first`: the bytes from `begin` to before `end` of `complete`, whose version `etag` is, which may be empty.
  SlicedBody(Exchange& x, const Conf& conf, std::unique_ptr<Reader> first, std::uint64_t begin, std::uint64_t end,
             std::uint64_t complete, std::string etag);
  Task<Result<Piece>> read() override;
  std::optional<std::uint64_t> length() const override { return end_ - begin_; }
  void narrow(std::uint64_t begin, std::uint64_t end) override;

 private:
  void begin();
  Task<Result<void>> ask_for_part();
  Result<Piece> take(Piece piece);

  Exchange& x_;
  const std::uint64_t size_;              // of a part
  const Conf& conf_;
  const std::uint64_t complete_;
  std::uint64_t begin_ = 0, end_;         // of what is wanted
  bool begun_ = false;
  std::string etag_;
  std::optional<Subrequest> subrequest_;  // of the present part; in front of what belongs to it
  std::optional<Response> response_;
  std::unique_ptr<Reader> part_;          // null: the next one is to be asked for
  std::uint64_t at_, part_end_;           // how far the parts have been read; where the present one ends
};

// What a part has to be like: 206, of the range from `start` on, of this version. The log says what is wrong.
class Part {
 public:
  std::uint64_t end = 0, complete = 0;
};
std::optional<Part> judge(const Exchange& x, const Response& response, std::uint64_t start, std::uint64_t size, std::string_view etag);

}  // namespace seawall::slice
