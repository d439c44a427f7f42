#include "seawall/http/h1_response.h"

#include <algorithm>
#include <charconv>

#include "seawall/base/bytes.h"
#include "seawall/http/date.h"
#include "seawall/http/status.h"

namespace seawall {
namespace {

// Writes behind a string's end without asking for room at every piece.
class HeadWriter {
 public:
  // `most`: bytes that will be written at most.
  HeadWriter(std::string& out, std::size_t most) : out_(out) {
    const std::size_t begin = out.size();
    out.resize(begin + most);
    at_ = out.data() + begin;
  }
  ~HeadWriter() { out_.resize(static_cast<std::size_t>(at_ - out_.data())); }
  HeadWriter(const HeadWriter&) = delete;
  HeadWriter& operator=(const HeadWriter&) = delete;

  HeadWriter& operator<<(std::string_view text) {
    at_ = std::copy(text.begin(), text.end(), at_);
    return *this;
  }
  HeadWriter& operator<<(std::uint64_t number) {
    at_ = std::to_chars(at_, at_ + kLongestNumber, number).ptr;
    return *this;
  }
  // Without what would end a line.
  HeadWriter& clean(std::string_view text) {
    if (!has_control(text)) return *this << text;
    for (const char c : text)
      if (c != '\r' && c != '\n' && c != 0) *at_++ = c;
    return *this;
  }
  static constexpr std::size_t kLongestNumber = 20;

 private:
  std::string& out_;
  char* at_;
};

constexpr std::size_t kAroundField = 4;  // ": " and the line's end
constexpr std::size_t kOwnLines = 400;   // all lines but fields, without the texts of others

std::size_t size_of(const Headers& headers) {
  std::size_t size = 0;
  for (const Field& field : headers.all()) size += field.name.size() + field.value.size() + kAroundField;
  return size;
}

void write_fields(HeadWriter& out, const Headers& headers) {
  for (const Field& field : headers.all()) {
    if (field.value.empty() && (field.id == FieldId::server || field.id == FieldId::date)) continue;  // no field at all
    out.clean(field.name) << ": ";
    out.clean(field.value) << "\r\n";
  }
}

}  // namespace

void append_head(std::string& out, const ResponseHeadInfo& info, const Headers& headers) {
  const std::string_view reason = reason_phrase(info.status), date = current_date();
  HeadWriter to(out, kOwnLines + reason.size() + date.size() + info.server.size() + size_of(headers));
  if (info.status == 200) to << "HTTP/1.1 200 OK\r\n";
  else to << "HTTP/1.1 " << static_cast<std::uint64_t>(info.status) << " " << reason << "\r\n";
  if (!info.server.empty() && !headers.has(FieldId::server)) to << "Server: " << info.server << "\r\n";
  if (!headers.has(FieldId::date)) to << "Date: " << date << "\r\n";
  write_fields(to, headers);
  if (info.content_length) to << "Content-Length: " << *info.content_length << "\r\n";
  if (info.chunked) to << "Transfer-Encoding: chunked\r\n";
  if (info.upgrade) to << "Connection: upgrade\r\n";
  else to << (info.keep_alive ? std::string_view("Connection: keep-alive\r\n") : std::string_view("Connection: close\r\n"));
  if (info.keep_alive && info.keep_alive_timeout.count() > 0)
    to << "Keep-Alive: timeout=" << static_cast<std::uint64_t>(info.keep_alive_timeout.count() / 1000) << "\r\n";
  to << "\r\n";
}

void append_chunk_header(std::string& out, std::size_t size) {
  char digits[HeadWriter::kLongestNumber];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, size, 16).ptr);
  out.append("\r\n");
}

void append_last_chunk(std::string& out, const Headers& trailers) {
  HeadWriter to(out, 5 + size_of(trailers));
  to << "0\r\n";
  write_fields(to, trailers);
  to << "\r\n";
}

}  // namespace seawall
