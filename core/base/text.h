// Small functions over text that several layers need: ASCII case, trimming, numbers, hex, HTML. Locale-free. Any thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "seawall/base/export.h"

namespace seawall {

inline constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }
inline constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline constexpr bool is_alpha(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }

SEAWALL_API bool equals_ignoring_case(std::string_view a, std::string_view b);
SEAWALL_API std::string lower(std::string_view text);
SEAWALL_API std::string_view trim(std::string_view text);  // spaces and tabs
// Digits only, the whole text, no sign; nothing on overflow.
SEAWALL_API std::optional<std::uint64_t> parse_decimal(std::string_view text);
SEAWALL_API std::optional<std::uint64_t> parse_hex(std::string_view text);
// The value of one hex digit, or -1.
SEAWALL_API int hex_value(char c);
// & < > " become entities, as nginx escapes for HTML.
SEAWALL_API std::string escape_html(std::string_view text);
// One element of a comma-separated field value (RFC 9110 5.6.1): the next trimmed, non-empty element; `rest` moves on.
SEAWALL_API std::optional<std::string_view> next_list_element(std::string_view& rest);

}  // namespace seawall
