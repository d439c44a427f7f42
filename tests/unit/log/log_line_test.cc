// Lines of JSON: objects whatever a message holds, and never longer than a pipe takes whole.
#include "seawall/log/log_line.h"

#include <climits>
#include <nlohmann/json.hpp>

#include "catch.h"

using namespace seawall;
using nlohmann::json;
using Catch::Matchers::EndsWith;
using Catch::Matchers::Matches;

namespace {

json object_of(const std::string& line) {
  INFO(line);
  REQUIRE(line.ends_with("}\n"));
  REQUIRE(line.size() <= PIPE_BUF);
  REQUIRE(line.find('\n') == line.size() - 1);
  return json::parse(line);
}

LogAbout about(std::initializer_list<LogField> fields) {
  LogAbout what;
  what.connection = 7;
  what.request_id = "0123456789abcdef0123456789abcdef";
  what.fields = {fields.begin(), fields.size()};
  return what;
}

}  // namespace

TEST_CASE("a line of JSON says who, when and what") {
  const std::initializer_list<LogField> fields = {{"client", "10.0.0.1", false}, {"request", "GET / HTTP/1.1"}};
  const json line = object_of(json_line(Level::error, about(fields), "open() \"/x\" failed"));
  CHECK(line["level"] == "error");
  CHECK(line["connection"] == 7);
  CHECK(line["request_id"] == "0123456789abcdef0123456789abcdef");
  CHECK(line["message"] == "open() \"/x\" failed");
  CHECK(line["client"] == "10.0.0.1");
  CHECK(line["request"] == "GET / HTTP/1.1");
  CHECK(line["pid"].is_number_integer());
  CHECK_THAT(line["time"].get<std::string>(), Matches(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d)"));
}

TEST_CASE("every byte in a message leaves a line of JSON an object") {
  for (int first = 0; first < 256; ++first)
    for (const char* rest : {"", "\x80", "\xa0\x80", "\x90\x80\x80", "\"", "\\"}) {
      const std::string message = std::string(1, char(first)) + rest;
      const json line = object_of(json_line(Level::info, {}, message));
      for (const char c : line["message"].get<std::string>()) CHECK(static_cast<unsigned char>(c) >= 0x20);
    }
  CHECK(object_of(json_line(Level::info, {}, "caf\xc3\xa9 \xe9 \x1b[0m \xc2\x9b"))["message"] == "caf\xc3\xa9 \\xE9 \\x1B[0m \\xC2\\x9B");
}

TEST_CASE("a long message leaves room for the request, and a long request for the line's end") {
  for (const char* part : {"a", "\"", "\x01", "\xc3\xa9", "\xf0\x9f\x8c\x8a"}) {
    std::string text;
    for (int i = 0; i < 5'000; ++i) text += part;
    const std::initializer_list<LogField> fields = {{"client", "10.0.0.1", false}, {"request", text}, {"host", text}, {"referrer", text}};
    const json line = object_of(json_line(Level::error, about(fields), text));
    CHECK(line["client"] == "10.0.0.1");
    CHECK_THAT(line["message"].get<std::string>(), EndsWith("..."));
    CHECK_THAT(line["request"].get<std::string>(), EndsWith("..."));
  }
}

TEST_CASE("a request id stands at the end of the longest line of text") {
  const std::string line = text_line(Level::error, about({}), std::string(10'000, 'a'), true);
  CHECK(line.size() <= PIPE_BUF);
  CHECK_THAT(line, EndsWith("a..., request id: \"0123456789abcdef0123456789abcdef\"\n"));
}
