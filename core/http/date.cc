#include "seawall/http/date.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>

#include "seawall/base/text.h"

namespace seawall {
namespace {

constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Three letters, whatever their capitals.
constexpr std::uint32_t packed(const char* name) {
  const auto letter = [name](int i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(to_lower(name[i]))); };
  return letter(0) << 16 | letter(1) << 8 | letter(2);
}

// Reads a date from left to right; what does not fit makes it invalid for good.
class DateReader {
 public:
  explicit DateReader(std::string_view text) : rest_(text) {}

  // Capitals do not matter to caches (RFC 9111 4.2), nor to nginx.
  void literal(std::string_view expected) {
    bool fits = rest_.size() >= expected.size();
    for (std::size_t i = 0; fits && i < expected.size(); ++i) fits = to_lower(rest_[i]) == to_lower(expected[i]);
    take(fits, expected.size());
  }
  // The weekday's name says nothing that the date does not: three letters, or any number of them.
  void weekday(bool full) {
    const std::size_t length = full ? std::min(rest_.find(','), rest_.size()) : 3;
    const auto is_letter = [](char c) { return is_alpha(c); };
    take(length <= rest_.size() && std::all_of(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(length), is_letter), length);
  }
  int number(std::size_t width) {
    int value = 0;
    bool digits = rest_.size() >= width;
    for (std::size_t i = 0; digits && i < width; ++i) {
      digits = is_digit(rest_[i]);
      value = 10 * value + (rest_[i] - '0');
    }
    take(digits, width);
    return valid_ ? value : 0;
  }
  int padded_number() {  // asctime pads with a space
    if (!rest_.starts_with(' ')) return number(2);
    literal(" ");
    return number(1);
  }
  int month() {
    int found = 12;
    if (rest_.size() >= 3) {
      const auto name = packed(rest_.data());
      for (found = 0; found < 12 && packed(kMonths[found]) != name;) ++found;
    }
    take(found < 12, 3);
    return found;
  }
  void time(tm& parts) {
    parts.tm_hour = number(2);
    literal(":");
    parts.tm_min = number(2);
    literal(":");
    parts.tm_sec = number(2);
    if (parts.tm_hour > 23 || parts.tm_min > 59 || parts.tm_sec > 60) valid_ = false;
  }
  bool at_end() const { return valid_ && rest_.empty(); }

 private:
  void take(bool fits, std::size_t n) {
    valid_ = valid_ && fits;
    if (valid_) rest_.remove_prefix(n);
  }
  std::string_view rest_;
  bool valid_ = true;
};

// Sun, 06 Nov 1994 08:49:37 GMT
bool read_imf_fixdate(DateReader in, tm& parts) {
  in.weekday(false);
  in.literal(", ");
  parts.tm_mday = in.number(2);
  in.literal(" ");
  parts.tm_mon = in.month();
  in.literal(" ");
  parts.tm_year = in.number(4) - 1900;
  in.literal(" ");
  in.time(parts);
  in.literal(" GMT");
  return in.at_end();
}

// Sunday, 06-Nov-94 08:49:37 GMT
bool read_rfc850(DateReader in, tm& parts) {
  in.weekday(true);
  in.literal(", ");
  parts.tm_mday = in.number(2);
  in.literal("-");
  parts.tm_mon = in.month();
  in.literal("-");
  const int year = in.number(2);
  parts.tm_year = year < 70 ? year + 100 : year;
  in.literal(" ");
  in.time(parts);
  in.literal(" GMT");
  return in.at_end();
}

// Sun Nov  6 08:49:37 1994
bool read_asctime(DateReader in, tm& parts) {
  in.weekday(false);
  in.literal(" ");
  parts.tm_mon = in.month();
  in.literal(" ");
  parts.tm_mday = in.padded_number();
  in.literal(" ");
  in.time(parts);
  in.literal(" ");
  parts.tm_year = in.number(4) - 1900;
  return in.at_end();
}

}  // namespace

std::string http_date(std::int64_t seconds) {
  const time_t t = seconds;
  tm parts;
  gmtime_r(&t, &parts);
  char text[40];
  const int n = std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", kDays[parts.tm_wday], parts.tm_mday,
                              kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
  return std::string(text, static_cast<std::size_t>(n));
}

std::optional<std::int64_t> parse_http_date(std::string_view text) {
  const DateReader in(text);
  tm parts{};
  if (!read_imf_fixdate(in, parts) && !read_rfc850(in, parts) && !read_asctime(in, parts)) return std::nullopt;
  if (parts.tm_year < 70) return std::nullopt;
  using namespace std::chrono;
  const year_month_day date(year(parts.tm_year + 1900), month(static_cast<unsigned>(parts.tm_mon) + 1), day(static_cast<unsigned>(parts.tm_mday)));
  if (!date.ok()) return std::nullopt;
  return sys_days(date).time_since_epoch().count() * std::int64_t{86400} + parts.tm_hour * 3600 + parts.tm_min * 60 + parts.tm_sec;
}

std::string_view current_date() {
  thread_local std::int64_t second = -1;
  thread_local std::string text;
  timespec now;
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  if (now.tv_sec != second) {
    second = now.tv_sec;
    text = http_date(second);
  }
  return text;
}

}  // namespace seawall
