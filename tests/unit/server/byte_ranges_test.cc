#include "catch.h"
#include "seawall/server/byte_ranges.h"

using namespace seawall;
using Answer = ByteRanges::Answer;

namespace {

constexpr std::int64_t kDefault = 2147483647;

// "0-9 990-1000": begin and end of each part; or the answer's name.
std::string cut(std::string_view field, std::uint64_t length, std::int64_t most = kDefault) {
  const ByteRanges ranges(field, length, most);
  if (ranges.answer() == Answer::whole) return "whole";
  if (ranges.answer() == Answer::unsatisfiable) return "416";
  std::string text;
  for (const ByteRange& part : ranges.parts())
    text += (text.empty() ? "" : " ") + std::to_string(part.begin) + "-" + std::to_string(part.end);
  return text;
}

}  // namespace

TEST_CASE("one range") {
  CHECK(cut("bytes=0-8", 1000) == "0-9");
  CHECK(cut("BYTES=0-8", 1000) == "0-9");
  CHECK(cut("bytes=990-", 1000) == "990-1000");
  CHECK(cut("bytes=990-1990", 1000) == "990-1000");
  CHECK(cut("bytes=-10", 1000) == "990-1000");
  CHECK(cut("bytes=-5000", 1000) == "0-1000");
  CHECK(cut("bytes= 1 - 2 ", 1000) == "1-3");
}

TEST_CASE("several ranges keep their order, and those beyond the end drop out") {
  CHECK(cut("bytes=0-9, -10, 10-19", 1000) == "0-10 990-1000 10-20");
  CHECK(cut("bytes=0-9, 100000-, 10-19", 1000) == "0-10 10-20");
}

TEST_CASE("what is not satisfiable or not a range is a 416") {
  for (const char* field : {"bytes=100000-", "bytes=alpha", "bytes=10-alpha", "bytes=10", "bytes=10-11 12-", "bytes=5-3",
                            "bytes=-0", "bytes=--1", "bytes=0-9,", "bytes=99999999999999999999-", "bytes=0--1"})
    CHECK(cut(field, 1000) == "416");
}

TEST_CASE("other units, empty bodies and greedy sets get the whole") {
  CHECK(cut("octets=0-1", 1000) == "whole");
  CHECK(cut("bytes=", 1000) == "whole");
  CHECK(cut("bytes=0-", 0) == "whole");
  CHECK(cut("bytes=-1", 0) == "whole");
  CHECK(cut("bytes=0-,0-", 1000) == "whole");
}

TEST_CASE("the parts' own heads count unless max_ranges is set") {
  std::string field = "bytes=0-0";
  for (int i = 0; i < 20; ++i) field += ",2-2";
  CHECK(cut(field, 1000) == "whole");
  CHECK(cut(field, 1000, 100) != "whole");
}

TEST_CASE("max_ranges") {
  CHECK(cut("bytes=0-1,2-3", 1000, 2) == "0-2 2-4");
  CHECK(cut("bytes=0-1,2-3,4-5", 1000, 2) == "whole");
}
