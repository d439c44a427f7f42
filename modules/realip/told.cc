#include "told.h"

#include <string>

#include "seawall/base/text.h"

namespace seawall::realip {
namespace {

std::optional<Address> address_of(std::string_view text) {
  auto address = Address::parse(text);
  if (address && address->is_unix()) return std::nullopt;
  return address;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Up to the separator, which is none inside a quoted string; takes it off the front.
std::string_view take_part(std::string_view& rest, char separator) {
  bool quoted = false;
  std::size_t end = 0;
  for (; end < rest.size() && (quoted || rest[end] != separator); ++end) {
    if (rest[end] == '"') quoted = !quoted;
    else if (quoted && rest[end] == '\\' && end + 1 < rest.size()) ++end;
  }
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return trimmed(part);
}

// Is the quote at `at` written with a backslash in front of it?
bool is_escaped(std::string_view text, std::size_t at) {
  std::size_t backslashes = 0;
  while (backslashes < at && text[at - 1 - backslashes] == '\\') ++backslashes;
  return backslashes % 2 == 1;
}

// Behind the last comma that is in no quoted string; takes it off the end. `broken`: a quote in it is left open.
std::string_view take_last_part(std::string_view& rest, bool& broken) {
  bool quoted = false;
  std::size_t from = rest.size();
  for (; from > 0 && (quoted || rest[from - 1] != ','); --from)
    if (rest[from - 1] == '"' && !is_escaped(rest, from - 1)) quoted = !quoted;
  const std::string_view part = rest.substr(from);
  rest = rest.substr(0, from > 0 ? from - 1 : 0);
  broken = quoted;
  return trimmed(part);
}

std::string unquoted(std::string_view value) {
  if (value.size() < 2 || value.front() != '"' || value.back() != '"') return std::string(value);
  std::string out;
  for (std::size_t i = 1; i + 1 < value.size(); ++i) {
    if (value[i] == '\\' && i + 2 < value.size()) ++i;
    out += value[i];
  }
  return out;
}

// "for=192.0.2.43;proto=https": a name that hides ("_x", "unknown") is no address, nor is an element without "for".
std::optional<Address> address_in(std::string_view element) {
  while (!element.empty()) {
    const std::string_view pair = take_part(element, ';');
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos && equals_ignoring_case(trimmed(pair.substr(0, equals)), "for"))
      return address_of(unquoted(trimmed(pair.substr(equals + 1))));
  }
  return std::nullopt;
}

}  // namespace

bool for_each_in_list(std::string_view list, const Take& take) {
  do {
    while (!list.empty() && (list.back() == ' ' || list.back() == ',')) list.remove_suffix(1);
    const auto before = list.find_last_of(" ,");
    const std::string_view last = before == std::string_view::npos ? list : list.substr(before + 1);
    if (!take(address_of(last))) return false;
    list.remove_suffix(last.size());
  } while (!list.empty());
  return true;
}

// From the end, where those who are trusted have written: a quote that a client has left open reaches only to its own left, and
// what it swallows is no element.
bool for_each_in_forwarded(std::string_view field, const Take& take) {
  while (!field.empty()) {
    bool broken = false;
    const std::string_view element = take_last_part(field, broken);
    if (!element.empty() && !take(broken ? std::nullopt : address_in(element))) return false;
  }
  return true;
}

}  // namespace seawall::realip
