#include "told.h"

#include <string>
#include <vector>

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

bool for_each_in_forwarded(std::string_view field, const Take& take) {
  std::vector<std::string_view> elements;
  while (!field.empty()) elements.push_back(take_part(field, ','));
  for (auto element = elements.rbegin(); element != elements.rend(); ++element)
    if (!element->empty() && !take(address_in(*element))) return false;
  return true;
}

}  // namespace seawall::realip
