#include "seawall/server/cookie.h"

#include "seawall/base/text.h"
#include "seawall/http/headers.h"

namespace seawall {
namespace {

std::string_view skip_spaces(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  return text;
}

std::optional<std::string_view> find_in(std::string_view field, std::string_view name) {
  while (!field.empty()) {
    if (field.size() >= name.size() && equals_ignoring_case(field.substr(0, name.size()), name)) {
      const std::string_view rest = skip_spaces(field.substr(name.size()));
      if (rest.starts_with('=')) {
        const std::string_view value = skip_spaces(rest.substr(1));
        return value.substr(0, value.find(';'));
      }
    }
    const auto end = field.find(';');
    if (end == std::string_view::npos) break;
    field = skip_spaces(field.substr(end + 1));
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string_view> find_cookie(const Headers& request, std::string_view name) {
  if (!request.has(FieldId::cookie)) return std::nullopt;
  for (const Field& field : request.all()) {
    if (field.id != FieldId::cookie) continue;
    if (const auto value = find_in(field.value, name)) return value;
  }
  return std::nullopt;
}

}  // namespace seawall
