#include "seawall/http/h1_response_head.h"

#include "seawall/base/bytes.h"
#include "seawall/base/text.h"
#include "seawall/http/grammar.h"

namespace seawall {
namespace {

constexpr ByteSet kToken([](char c) { return is_alpha(c) || is_digit(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos; });

// The line at the front without its end, which may be a bare LF; nothing when that is not here yet.
std::optional<std::string_view> next_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// Can `text` still become, or is it, the beginning of a status line?
bool begins_http(std::string_view text) {
  constexpr std::string_view start = "HTTP/1.";
  return text.substr(0, start.size()) == start.substr(0, text.size());
}

}  // namespace

Errc H1ResponseHead::refuse(std::string why) {
  complaint = std::move(why);
  return Errc::bad_request;
}

Result<void> H1ResponseHead::status_line(std::string_view line) {
  const bool shaped = line.size() >= 12 && begins_http(line) && is_digit(line[7]) && line[8] == ' ' && is_digit(line[9]) &&
                      is_digit(line[10]) && is_digit(line[11]) && (line.size() == 12 || line[12] == ' ');
  if (!shaped) return refuse("upstream sent no valid HTTP/1.0 header");
  minor_version = line[7] - '0';
  status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  if (status < 100) return refuse("upstream sent no valid HTTP/1.0 header");
  return {};
}

Result<void> H1ResponseHead::field(std::string_view line) {
  std::size_t n = 0;
  while (n < line.size() && kToken.has(line[n])) ++n;
  const std::string_view name = line.substr(0, n);
  const bool named = n > 0 && n < line.size() && line[n] == ':';
  const std::string_view value = named ? trim(line.substr(n + 1)) : std::string_view();
  if (!named || !is_field_value(value))
    return refuse("upstream sent invalid header: \"" + std::string(line.substr(0, 100)) + "\"");
  headers.add_view(name, value);
  return {};
}

Result<std::optional<std::size_t>> H1ResponseHead::parse(std::string_view in) {
  if (!begins_http(in)) return refuse("upstream sent no valid HTTP/1.0 header");
  headers.clear();
  std::string_view rest = in;
  const std::optional<std::string_view> first = next_line(rest);
  if (!first) return std::optional<std::size_t>();
  if (Result<void> ok = status_line(*first); !ok) return ok.error();
  for (;;) {
    const std::optional<std::string_view> line = next_line(rest);
    if (!line) return std::optional<std::size_t>();
    if (line->empty()) return std::optional<std::size_t>(in.size() - rest.size());
    if (Result<void> ok = field(*line); !ok) return ok.error();
  }
}

}  // namespace seawall
