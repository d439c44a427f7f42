#include "seawall/upstream/cache_rules.h"

#include <algorithm>
#include <optional>

#include "seawall/base/text.h"
#include "seawall/http/date.h"
#include "seawall/upstream/forward_conf.h"

namespace seawall {
namespace {

constexpr std::size_t kLongestVary = 128;  // nginx's
constexpr std::int64_t kLongest = INT64_MAX / 4;

std::string joined(const Headers& headers, FieldId id) {
  std::string all;
  for (const Field& field : headers.all()) {
    if (field.id != id) continue;
    if (!all.empty()) all += ", ";
    all += field.value;
  }
  return all;
}

// Seconds; as long as can be for what is longer. Nothing: no number.
std::optional<std::int64_t> seconds(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit)) return std::nullopt;
  const auto number = parse_decimal(text);
  return static_cast<std::int64_t>(std::min<std::uint64_t>(number.value_or(kLongest), kLongest));
}

// The value of "name=value" where the directive has that name.
std::optional<std::string_view> value_of(std::string_view directive, std::string_view name) {
  if (directive.size() <= name.size() || directive[name.size()] != '=') return std::nullopt;
  if (!equals_ignoring_case(directive.substr(0, name.size()), name)) return std::nullopt;
  return trim(directive.substr(name.size() + 1));
}

bool is_word(std::string_view directive, std::string_view word) {
  return equals_ignoring_case(directive.substr(0, directive.find('=')), word);
}

std::string normalized(std::string_view list) {
  std::string all;
  while (auto element = next_list_element(list)) all.append(*element).append(",");
  return all;
}

}  // namespace

// X-Accel-Expires goes before Cache-Control, and that before Expires, in whatever order they stand.
Freshness::Freshness(const Headers& headers, unsigned ignored, std::int64_t now) {
  const auto heard = [&](FieldId id, unsigned bit) { return headers.has(id) && !(ignored & bit); };
  age_ = age_in(headers.get(FieldId::age));
  if (heard(FieldId::x_accel_expires, ignored::expires_accel)) take_accel(headers.get(FieldId::x_accel_expires), now);
  if (heard(FieldId::cache_control, ignored::cache_control)) take_cache_control(joined(headers, FieldId::cache_control), now);
  if (heard(FieldId::expires, ignored::expires)) take_expires(headers, now);
  if (heard(FieldId::set_cookie, ignored::set_cookie)) forbidden_ = true;
  if (heard(FieldId::vary, ignored::vary)) take_vary(joined(headers, FieldId::vary));
}

void Freshness::take_accel(std::string_view value, std::int64_t now) {
  const bool at = value.starts_with('@');
  const auto number = seconds(at ? value.substr(1) : value);
  if (!number) return;
  has_accel_ = true;
  if (!at && *number == 0) forbidden_ = true;
  else valid_until = at ? std::max<std::int64_t>(*number, 1) : now + *number;
}

void Freshness::take_cache_control(const std::string& value, std::int64_t now) {
  std::optional<std::int64_t> age, shared_age;
  bool forbids = false;
  std::string_view rest = value;
  while (auto directive = next_list_element(rest)) {
    if (is_word(*directive, "no-cache") || is_word(*directive, "no-store") || is_word(*directive, "private")) forbids = true;
    if (const auto text = value_of(*directive, "max-age")) age = seconds(*text).value_or(0);
    if (const auto text = value_of(*directive, "s-maxage")) shared_age = seconds(*text).value_or(0);
    if (const auto text = value_of(*directive, "stale-while-revalidate")) while_updating = seconds(*text).value_or(0);
    if (const auto text = value_of(*directive, "stale-if-error")) on_error = seconds(*text).value_or(0);
  }
  if (has_accel_) return;
  if (shared_age) age = shared_age;
  if (forbids || (age && *age <= age_)) no_cache_ = true;
  else if (age) valid_until = now + *age - age_;
}

// The time between Date and Expires, less the age that the response has come with (RFC 9111 4.2).
void Freshness::take_expires(const Headers& headers, std::int64_t now) {
  if (valid_until != 0 || no_cache_ || has_accel_) return;
  const auto end = parse_http_date(headers.get(FieldId::expires));
  const std::int64_t date = parse_http_date(headers.get(FieldId::date)).value_or(now);
  const std::int64_t until = end ? now + (*end - date) - std::max(age_, now - date) : 0;
  if (until <= now) expired_ = true;
  else valid_until = until;
}

void Freshness::take_vary(std::string_view value) {
  vary = value;
  if (vary.size() > kLongestVary) forbidden_ = true;
  std::string_view rest = value;
  while (auto name = next_list_element(rest))
    if (*name == "*") forbidden_ = true;
}

// What follows the number makes it no other one: rather too old than too young.
std::int64_t age_in(std::string_view value) {
  const std::string_view digits = value.substr(0, std::min(value.find_first_not_of("0123456789"), value.size()));
  return seconds(digits).value_or(0);
}

CacheHash variant_of(const CacheHash& main, std::string_view vary, const Headers& request) {
  std::string text;
  while (auto name = next_list_element(vary)) {
    text.append(lower(*name)).append(":");
    for (const Field& field : request.all())
      if (equals_ignoring_case(field.name, *name)) text += normalized(field.value);
    text += "\r\n";
  }
  return CacheHash({main.view(), text});
}

bool begins_behind(std::string_view range, std::int64_t offset) {
  if (offset == 0) return true;
  if (range.size() < 7 || !equals_ignoring_case(range.substr(0, 6), "bytes=")) return false;
  const std::string_view first = trim(range.substr(6));
  if (first.starts_with('-')) return true;
  const std::string_view digits = first.substr(0, std::min(first.find_first_not_of("0123456789"), first.size()));
  if (digits.empty()) return false;
  const auto begin = parse_decimal(digits);
  return !begin || *begin >= static_cast<std::uint64_t>(offset);
}

}  // namespace seawall
