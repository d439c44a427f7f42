// FastCGI's records (FastCGI 1.0, 3.3): how a request is written in them, and a response taken out of them. One loop.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "seawall/base/buffer.h"
#include "seawall/base/result.h"
#include "seawall/base/slice.h"

namespace seawall::fastcgi {

enum class Type : std::uint8_t { begin_request = 1, end_request = 3, params = 4, stdin_ = 5, stdout_ = 6, stderr_ = 7 };

// A record's content is at most this long.
inline constexpr std::size_t kLongest = 65535;

void append_begin(std::string& out, bool keeps_connection);
// The header of a record with this content, which padding follows.
void append_header(std::string& out, Type type, std::size_t size);
void append_padding(std::string& out, std::size_t size);
// A stream in as many records as it takes, and its end.
void append_stream(std::string& out, Type type, std::string_view content);
// The same of content that is appended in between; what begin_stream() returns is for end_stream().
std::size_t begin_stream(std::string& out, Type type);
void end_stream(std::string& out, Type type, std::size_t begin);
// A name and its value, as the content of params has them.
void append_pair(std::string& out, std::string_view name, std::string_view value);

class Part {
 public:
  Type type = Type::stdout_;
  Slice data;         // of stdout and stderr; empty: the end of that stream
};

class RecordReader {
 public:
  // The next part of a record, taken from the front of `in`; nothing: more is needed. Error: bad_request, and complaint says why
  // (nginx's words).
  Result<std::optional<Part>> next(Buffer& in);
  std::string complaint;

 private:
  enum class State : std::uint8_t { header, content, padding };
  Result<void> read_header(std::string_view bytes);
  Errc refuse(std::string why);

  State state_ = State::header;
  Type type_ = Type::stdout_;
  std::size_t left_ = 0, padding_ = 0;
};

}  // namespace seawall::fastcgi
