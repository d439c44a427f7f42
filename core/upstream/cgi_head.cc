#include "seawall/upstream/cgi_head.h"

#include <algorithm>

#include "seawall/base/text.h"
#include "seawall/http/h1_response_head.h"

namespace seawall {
namespace {

constexpr std::string_view kStatusLine = "HTTP/1.1 200 OK\r\n";

// Where the empty line ends; npos: it is not here yet.
std::size_t end_of(std::string_view in) {
  if (in.starts_with("\n")) return 1;
  if (in.starts_with("\r\n")) return 2;
  const auto crlf = in.find("\n\r\n"), lf = in.find("\n\n");
  if (crlf == in.npos && lf == in.npos) return in.npos;
  return crlf < lf ? crlf + 3 : lf + 2;
}

// "404 Not Found"
std::optional<int> status_of(std::string_view text) {
  const auto number = parse_decimal(text.substr(0, 3));
  if (text.size() < 3 || !number || *number < 100 || (text.size() > 3 && text[3] != ' ')) return std::nullopt;
  return static_cast<int>(*number);
}

Errc refuse(std::string why, std::string& complaint) {
  complaint = std::move(why);
  return Errc::bad_request;
}

// Two lengths are none.
Result<void> read_length(UpstreamHead& head, std::string& complaint) {
  if (head.headers.count(FieldId::content_length) > 1)
    return refuse("upstream sent duplicate header line: \"Content-Length\"", complaint);
  const Field* length = head.headers.find(FieldId::content_length);
  if (!length) return {};
  head.length = parse_decimal(length->value);
  if (head.length && *head.length <= INT64_MAX) return {};
  return refuse("upstream sent invalid \"Content-Length\" header: \"" + std::string(length->value) + "\"", complaint);
}

}  // namespace

Result<std::optional<std::size_t>> parse_cgi_head(std::string_view in, UpstreamHead& head, std::string& complaint) {
  const std::size_t end = end_of(in);
  if (end == in.npos) return std::optional<std::size_t>();
  std::string text(in.substr(0, end));
  const bool has_status_line = text.starts_with("HTTP/1.");
  if (!has_status_line) text.insert(0, kStatusLine);
  H1ResponseHead parsed;
  const auto size = parsed.parse(text);
  if (!size) return refuse(parsed.complaint, complaint);
  if (!*size) return refuse("upstream sent invalid header", complaint);
  for (const Field& field : parsed.headers.all()) head.headers.add(field.name, field.value);
  head.status = parsed.status;
  if (const Field* status = head.headers.find("Status")) {
    const auto number = status_of(status->value);
    if (!number) return refuse("upstream sent invalid status \"" + std::string(status->value) + "\"", complaint);
    head.status = *number;
  } else if (!has_status_line && head.headers.has(FieldId::location)) {
    head.status = 302;
  }
  // An interim answer would leave the client waiting for another one.
  if (head.status < 200) return refuse("upstream sent invalid status \"" + std::to_string(head.status) + "\"", complaint);
  if (Result<void> done = read_length(head, complaint); !done) return done.error();
  return std::optional<std::size_t>(end);
}

}  // namespace seawall
