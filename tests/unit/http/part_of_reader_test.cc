#include "seawall/http/part_of_reader.h"

#include "catch.h"
#include "unit/loop_runner.h"

using namespace seawall;

namespace {

// "0123456789" in pieces of three, with a pause in the middle.
class Digits final : public Reader {
 public:
  Task<Result<Piece>> read() override {
    static const char* const pieces[] = {"012", "345", "", "678", "9"};
    const bool last = next_ == 4;
    co_return Piece(Slice::from(std::string(pieces[next_++])), last);
  }
  std::optional<std::uint64_t> length() const override { return 10; }

 private:
  int next_ = 0;
};

Task<void> append_all(Reader& reader, std::string& text) {
  for (bool last = false; !last;) {
    const Result<Piece> piece = co_await reader.read();
    text += piece ? piece->data.view() : "!";
    last = !piece || piece->last;
  }
}

std::string read_all(Reader& reader) {
  std::string text;
  test::LoopRunner().run(append_all(reader, text));
  return text;
}

}  // namespace

TEST_CASE("a part of a body that is produced") {
  for (const auto& [begin, end] : {std::pair<int, int>{0, 10}, {0, 1}, {2, 4}, {3, 6}, {9, 10}, {5, 10}}) {
    const auto part = part_of_reader(std::make_unique<Digits>(), static_cast<std::uint64_t>(begin), static_cast<std::uint64_t>(end));
    CHECK(part->length() == static_cast<std::uint64_t>(end - begin));
    CHECK(read_all(*part) == std::string("0123456789").substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)));
  }
}

TEST_CASE("a part that the body does not reach is an error") {
  const auto part = part_of_reader(std::make_unique<Digits>(), 8, 12);
  CHECK(read_all(*part) == "8!");
}
