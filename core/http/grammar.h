// What HTTP/1 and HTTP/2 have in common in their heads: methods, the usual names of fields, and values (RFC 9110 5.5, 9.1).
// As strict as nginx, not as wide as the RFC. Pure; any thread.
#pragma once
#include <string_view>

#include "seawall/base/bytes.h"
#include "seawall/base/text.h"

namespace seawall {

// Capital letters, '-' and '_', at least one.
inline bool is_method(std::string_view text) {
  static constexpr ByteSet allowed([](char c) { return (c >= 'A' && c <= 'Z') || c == '-' || c == '_'; });
  return !text.empty() && allowed.has_all(text);
}

// What ignore_invalid_headers leaves over; '_' with underscores_in_headers.
inline bool is_usual_name(std::string_view name, bool underscores) {
  static constexpr ByteSet usual([](char c) { return is_alpha(c) || is_digit(c) || c == '-'; });
  static constexpr ByteSet with_underscore([](char c) { return usual.has(c) || c == '_'; });
  return (underscores ? with_underscore : usual).has_all(name);
}

// No control bytes but TAB.
inline bool is_field_value(std::string_view value) {
  static constexpr ByteSet allowed([](char c) { return (static_cast<unsigned char>(c) >= 0x20 || c == '\t') && c != 0x7f; });
  return !has_control(value) || allowed.has_all(value);
}

}  // namespace seawall
