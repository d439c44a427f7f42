#include "expires.h"

#include <ctime>

#include "seawall/http/date.h"

namespace seawall::headers {
namespace {

// The next moment, in local time, at which the clock shows `of_day` seconds since midnight.
std::time_t next_time(std::time_t now, long of_day) {
  tm day{};
  ::localtime_r(&now, &day);
  day.tm_hour = static_cast<int>(of_day / 3600);
  day.tm_min = static_cast<int>(of_day / 60 % 60);
  day.tm_sec = static_cast<int>(of_day % 60);
  day.tm_isdst = -1;
  const tm today = day;
  const std::time_t next = std::mktime(&day);
  if (next > now) return next;
  day = today;
  ++day.tm_mday;
  return std::mktime(&day);
}

// nginx's times in seconds.
std::optional<std::chrono::seconds> seconds_of(std::string_view word) {
  if (word.empty() || word.ends_with("ms") || word == "off") return std::nullopt;
  const auto time = time_of(word);
  if (!time) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::seconds>(*time);
}

std::optional<Expires::From> named_moment(std::string_view word) {
  if (word == "epoch") return Expires::From::epoch;
  if (word == "max") return Expires::From::max;
  if (word == "off") return Expires::From::off;
  return std::nullopt;
}

void set_both(Response& response, std::string_view expires, std::string_view cache_control) {
  response.headers.set("Expires", expires);
  response.headers.set("Cache-Control", cache_control);
}

}  // namespace

Expires::Expires(const Invocation& in) {
  const bool modified = in.args().size() == 2;
  if (modified && in.arg(0) != "modified") throw ConfigError("\"expires\" directive invalid value");
  from_ = modified ? From::modified : From::now;
  value_ = in.compile(in.args().back());
  if (!value_.is_literal()) return;
  if (const char* error = parse(value_.source())) throw ConfigError(std::string("\"expires\" directive ") + error);
  written_negative_ = time_.count() < 0;
}

const char* Expires::parse(std::string_view word) {
  if (const auto named = from_ == From::modified ? std::nullopt : named_moment(word)) {
    from_ = *named;
    return nullptr;
  }
  const char sign = word.empty() ? '\0' : word.front();
  if (sign == '@' && from_ == From::modified) return "daily time cannot be used with \"modified\" parameter";
  if (sign == '@' || sign == '+' || sign == '-') word.remove_prefix(1);
  const auto time = seconds_of(word);
  if (!time) return "invalid value";
  if (sign == '@') {
    from_ = From::time_of_day;
    if (*time > std::chrono::hours(24)) return "daily time value must be less than 24 hours";
  }
  time_ = sign == '-' ? -*time : *time;
  return nullptr;
}

void Expires::date(Exchange& x, Response& response) const {
  if (value_.is_literal()) return write(response);
  Expires evaluated;
  evaluated.from_ = from_;
  // A value that is no time (a map's empty default) says nothing.
  if (evaluated.parse(value_.eval(x)) == nullptr) evaluated.write(response);
}

void Expires::write(Response& response) const {
  if (from_ == From::off) return;
  if (from_ == From::epoch) return set_both(response, "Thu, 01 Jan 1970 00:00:01 GMT", "no-cache");
  if (from_ == From::max) return set_both(response, "Thu, 31 Dec 2037 23:55:55 GMT", "max-age=315360000");
  const std::time_t now = std::time(nullptr);
  if (time_.count() == 0 && from_ != From::time_of_day) return set_both(response, http_date(now), "max-age=0");
  std::time_t until = now + time_.count();
  if (from_ == From::time_of_day) until = next_time(now, time_.count());
  else if (from_ == From::modified && response.last_modified) until = *response.last_modified + time_.count();
  const std::time_t age = until - now;
  set_both(response, http_date(until), written_negative_ || age < 0 ? "no-cache" : "max-age=" + std::to_string(age));
}

}  // namespace seawall::headers
