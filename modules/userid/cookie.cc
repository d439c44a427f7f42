#include "cookie.h"

#include <cstdio>
#include <ctime>

namespace seawall::userid {
namespace {

// The form of cookies of old: two digits of a year are enough for browsers that old.
std::string cookie_date(std::time_t time) {
  static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  tm t{};
  ::gmtime_r(&time, &t);
  const int year = t.tm_year + 1900;
  char text[64];
  std::snprintf(text, sizeof text, year > 2037 ? "%s, %02d-%s-%04d %02d:%02d:%02d GMT" : "%s, %02d-%s-%02d %02d:%02d:%02d GMT",
                days[t.tm_wday], t.tm_mday, months[t.tm_mon], year > 2037 ? year : year % 100, t.tm_hour, t.tm_min, t.tm_sec);
  return text;
}

}  // namespace

void add_flags(Flags& flags, const Invocation& in) {
  for (const std::string& word : in.args()) {
    if (word == "off") continue;
    if (word == "secure") flags.secure = true;
    else if (word == "httponly") flags.httponly = true;
    else if (word == "samesite=strict" || word == "samesite=lax" || word == "samesite=none") {
      if (!flags.same_site.empty()) in.warn("duplicate value \"" + word + "\"");
      else flags.same_site = word;
    } else {
      throw ConfigError("invalid value \"" + word + "\"");
    }
  }
}

Expires parse_expires(const Invocation& in) {
  Expires expires;
  if (in.arg(0) == "off") return expires;
  expires.max = in.arg(0) == "max";
  if (expires.max) return expires;
  const auto time = time_of(in.arg(0));
  if (!time || in.arg(0).ends_with("ms")) throw ConfigError("\"userid_expires\" directive invalid value");
  expires.time = std::chrono::duration_cast<std::chrono::seconds>(*time);
  return expires;
}

std::string attributes(const Expires& expires, std::string_view domain, std::string_view path, const Flags& flags) {
  std::string text;
  if (expires.max) text += "; expires=Thu, 31-Dec-37 23:55:55 GMT";
  else if (expires.time.count() > 0) text += "; expires=" + cookie_date(std::time(nullptr) + expires.time.count());
  if (!domain.empty() && domain != "none") text.append("; domain=").append(domain);
  text.append("; path=").append(path);
  if (flags.secure) text += "; secure";
  if (flags.httponly) text += "; httponly";
  if (!flags.same_site.empty()) text += "; " + flags.same_site;
  return text;
}

}  // namespace seawall::userid
