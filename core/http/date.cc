#include "seawall/http/date.h"

#include <cstdio>
#include <ctime>

namespace seawall {
namespace {

constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

int month_of(std::string_view name) {
  for (int i = 0; i < 12; ++i)
    if (name == kMonths[i]) return i;
  return -1;
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

std::optional<std::int64_t> parse_http_date(std::string_view view) {
  const std::string text(view);
  char month[4] = "";
  int day, year, hour, minute, second, end = -1;
  const bool asctime = [&] {
    if (std::sscanf(text.c_str(), "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", &day, month, &year, &hour, &minute, &second, &end) == 6 && end == static_cast<int>(text.size())) return false;
    end = -1;
    if (std::sscanf(text.c_str(), "%*[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d GMT%n", &day, month, &year, &hour, &minute, &second, &end) == 6 && end == static_cast<int>(text.size())) {
      year += year < 70 ? 2000 : 1900;
      return false;
    }
    end = -1;
    return std::sscanf(text.c_str(), "%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d%n", month, &day, &hour, &minute, &second, &year, &end) == 6;
  }();
  static_cast<void>(asctime);
  tm parts{};
  parts.tm_mon = month_of(month);
  if (end != static_cast<int>(text.size()) || parts.tm_mon < 0 || year < 1970 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60)
    return std::nullopt;
  parts.tm_mday = day;
  parts.tm_year = year - 1900;
  parts.tm_hour = hour;
  parts.tm_min = minute;
  parts.tm_sec = second;
  return timegm(&parts);
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
