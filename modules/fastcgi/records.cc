#include "records.h"

#include <algorithm>

namespace seawall::fastcgi {
namespace {

constexpr std::size_t kHeader = 8;
constexpr std::uint8_t kVersion = 1, kRequest = 1, kResponder = 1, kKeep = 1;

std::size_t padding_of(std::size_t size) { return (8 - size % 8) % 8; }
char byte(std::size_t n) { return static_cast<char>(n & 0xff); }
std::uint8_t at(std::string_view bytes, std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); }

void append_length(std::string& out, std::size_t n) {
  if (n < 128) out += byte(n);
  else out.append({byte(n >> 24 | 0x80), byte(n >> 16), byte(n >> 8), byte(n)});
}

}  // namespace

void append_header(std::string& out, Type type, std::size_t size) {
  out.append({byte(kVersion), byte(static_cast<std::size_t>(type)), 0, byte(kRequest), byte(size >> 8), byte(size), byte(padding_of(size)), 0});
}

void append_padding(std::string& out, std::size_t size) { out.append(padding_of(size), '\0'); }

void append_begin(std::string& out, bool keeps_connection) {
  append_header(out, Type::begin_request, 8);
  out.append({0, byte(kResponder), byte(keeps_connection ? kKeep : 0), 0, 0, 0, 0, 0});
}

void append_stream(std::string& out, Type type, std::string_view content) {
  while (!content.empty()) {
    const std::string_view part = content.substr(0, kLongest);
    content.remove_prefix(part.size());
    append_header(out, type, part.size());
    out += part;
    append_padding(out, part.size());
  }
  append_header(out, type, 0);
}

std::size_t begin_stream(std::string& out, Type type) {
  append_header(out, type, 0);
  return out.size();
}

// Nearly always one record, whose header stands in front of the content already.
void end_stream(std::string& out, Type type, std::size_t begin) {
  const std::size_t size = out.size() - begin;
  if (size == 0) return;
  if (size > kLongest) {
    const std::string content = out.substr(begin);
    out.resize(begin - kHeader);
    return append_stream(out, type, content);
  }
  char* const header = out.data() + begin - kHeader;
  header[4] = byte(size >> 8), header[5] = byte(size), header[6] = byte(padding_of(size));
  append_padding(out, size);
  append_header(out, type, 0);
}

void append_pair(std::string& out, std::string_view name, std::string_view value) {
  append_length(out, name.size());
  append_length(out, value.size());
  out.append(name).append(value);
}

Errc RecordReader::refuse(std::string why) {
  complaint = std::move(why);
  return Errc::bad_request;
}

Result<void> RecordReader::read_header(std::string_view bytes) {
  if (at(bytes, 0) != kVersion) return refuse("upstream sent unsupported FastCGI protocol version: " + std::to_string(at(bytes, 0)));
  const std::uint8_t type = at(bytes, 1);
  if (type != 3 && type != 6 && type != 7) return refuse("upstream sent invalid FastCGI record type: " + std::to_string(type));
  if (at(bytes, 2) != 0) return refuse("upstream sent unexpected FastCGI request id high byte: " + std::to_string(at(bytes, 2)));
  if (at(bytes, 3) != kRequest) return refuse("upstream sent unexpected FastCGI request id low byte: " + std::to_string(at(bytes, 3)));
  type_ = static_cast<Type>(type);
  left_ = std::size_t{at(bytes, 4)} << 8 | at(bytes, 5);
  padding_ = at(bytes, 6);
  return {};
}

Result<std::optional<Part>> RecordReader::next(Buffer& in) {
  for (;;) {
    if (state_ == State::padding) {
      const std::size_t n = std::min(padding_, in.size());
      in.consume(n);
      padding_ -= n;
      if (padding_ > 0) return std::optional<Part>();
      state_ = State::header;
    }
    Part part;
    if (state_ == State::header) {
      if (in.size() < kHeader) return std::optional<Part>();
      if (Result<void> done = read_header(in.view()); !done) return done.error();
      in.consume(kHeader);
      state_ = left_ > 0 ? State::content : State::padding;
      part.type = type_;
      if (left_ == 0) return std::optional<Part>(std::move(part));
    }
    if (in.empty()) return std::optional<Part>();
    part.type = type_;
    part.data = in.take(std::min(left_, in.size()));
    left_ -= part.data.size();
    if (left_ == 0) state_ = State::padding;
    // What an end says of the program's exit is of no use; it has come when all of it has.
    if (type_ != Type::end_request) return std::optional<Part>(std::move(part));
    if (left_ == 0) return std::optional<Part>(Part{Type::end_request, Slice()});
  }
}

}  // namespace seawall::fastcgi
