#include "accept.h"

#include <optional>

#include "seawall/base/text.h"

namespace seawall::compress {
namespace {

// RFC 9110 12.4.2: 0, 1, or either with up to three digits behind the point.
int thousandths(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return 0;
  int value = (text[0] - '0') * 1000;
  if (text.size() > 1 && text[1] != '.') return 0;
  int unit = 100;
  for (const char c : text.substr(std::min<std::size_t>(text.size(), 2))) {
    if (!is_digit(c)) return 0;
    value += (c - '0') * unit;
    unit /= 10;
  }
  return value <= 1000 ? value : 0;
}

// Of one element: CODING [;q=VALUE]. Nothing: of another coding.
std::optional<int> quality_in(std::string_view element, std::string_view coding) {
  const auto semicolon = element.find(';');
  if (!equals_ignoring_case(trim(element.substr(0, semicolon)), coding)) return std::nullopt;
  if (semicolon == std::string_view::npos) return 1000;
  const std::string_view parameter = trim(element.substr(semicolon + 1));
  if (parameter.empty()) return 1000;
  if (parameter.size() < 2 || to_lower(parameter[0]) != 'q' || parameter[1] != '=') return 0;
  return thousandths(parameter.substr(2));
}

}  // namespace

int quality_of(const Headers& request, std::string_view coding) {
  if (!request.has(FieldId::accept_encoding)) return 0;
  for (const Field& field : request.all()) {
    if (field.id != FieldId::accept_encoding) continue;
    std::string_view rest = field.value;
    while (const auto element = next_list_element(rest))
      if (const auto quality = quality_in(*element, coding)) return *quality;
  }
  return 0;
}

}  // namespace seawall::compress
