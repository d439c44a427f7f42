// Any body as a Reader: what filters and clients of a body that must see its bytes pull. One loop.
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "seawall/base/buffer.h"
#include "seawall/base/check.h"
#include "seawall/http/body.h"

namespace seawall {
namespace {

// What one read() of a file takes at most.
constexpr std::uint64_t kLargestRead = 64 * 1024;

class SliceReader final : public Reader {
 public:
  explicit SliceReader(Slice slice) : slice_(std::move(slice)), length_(slice_.size()) {}
  Task<Result<Piece>> read() override { co_return Piece(std::move(slice_), true); }
  std::optional<std::uint64_t> length() const override { return length_; }

 private:
  Slice slice_;
  std::uint64_t length_;
};

// Reads on the loop's thread: the page cache answers nearly always, and a thread's hand-over costs more than a read does.
class FileReader final : public Reader {
 public:
  explicit FileReader(FilePart part) : part_(std::move(part)), left_(part_.length) {}

  Task<Result<Piece>> read() override {
    const auto wanted = static_cast<std::size_t>(std::min(left_, kLargestRead));
    if (wanted == 0) co_return Piece(Slice(), true);
    Ref<Block> block = Block::make(wanted);
    ssize_t n = -1;
    do n = ::pread(part_.file->fd.get(), block->data(), wanted, static_cast<off_t>(part_.offset));
    while (n < 0 && errno == EINTR);
    if (n < 0) co_return system_error_code(errno);
    if (n == 0) co_return Errc::truncated;
    const auto got = static_cast<std::size_t>(n);
    part_.offset += got;
    left_ -= got;
    const std::string_view bytes(block->data(), got);
    block->add_ref();
    co_return Piece(Slice(Ref<Owner>(block.get()), bytes), left_ == 0);
  }
  std::optional<std::uint64_t> length() const override { return part_.length; }

 private:
  FilePart part_;
  std::uint64_t left_;
};

}  // namespace

std::unique_ptr<Reader> reader_of(Body body) {
  if (auto* reader = std::get_if<std::unique_ptr<Reader>>(&body)) return std::move(*reader);
  if (auto* slice = std::get_if<Slice>(&body)) return std::make_unique<SliceReader>(std::move(*slice));
  if (auto* part = std::get_if<FilePart>(&body)) return std::make_unique<FileReader>(std::move(*part));
  CHECK(std::holds_alternative<std::monostate>(body));  // a tunnel has no bytes to read
  return std::make_unique<SliceReader>(Slice());
}

}  // namespace seawall
