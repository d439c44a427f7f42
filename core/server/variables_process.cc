// Variables that do not look at the request: the process, the host, the clock. Any loop.
#include <sys/time.h>
#include <unistd.h>

#include <climits>
#include <ctime>

#include "seawall/server/exchange.h"
#include "seawall/server/server_name.h"
#include "seawall/server/variables.h"

namespace seawall {
namespace {

bool hostname(Exchange&, std::string_view, const void*, std::string& out) {
  static const std::string name = [] {
    char text[HOST_NAME_MAX + 1] = {};
    // The only failure is a name longer than the system's own bound.
    if (::gethostname(text, sizeof text - 1) != 0) return std::string();
    return std::string(text);
  }();
  out.append(name);
  return true;
}

bool pid(Exchange&, std::string_view, const void*, std::string& out) {
  append_number(static_cast<std::uint64_t>(::getpid()), out);
  return true;
}

bool nginx_version(Exchange&, std::string_view, const void*, std::string& out) {
  out.append(kNginxLevel);
  return true;
}

bool msec(Exchange&, std::string_view, const void*, std::string& out) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  append_seconds(static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec, out);
  return true;
}

void append_two(long value, std::string& out) {
  out.push_back(static_cast<char>('0' + value / 10 % 10));
  out.push_back(static_cast<char>('0' + value % 10));
}

// +0000, or +00:00 with a colon.
void append_zone(long seconds_east, bool colon, std::string& out) {
  out.push_back(seconds_east < 0 ? '-' : '+');
  const long minutes = (seconds_east < 0 ? -seconds_east : seconds_east) / 60;
  append_two(minutes / 60, out);
  if (colon) out.push_back(':');
  append_two(minutes % 60, out);
}

void append_clock(const tm& now, std::string& out) {
  append_two(now.tm_hour, out);
  out.push_back(':');
  append_two(now.tm_min, out);
  out.push_back(':');
  append_two(now.tm_sec, out);
}

// A text about the present second, composed once a second and thread: every line of an access log has one, and a time zone
// takes longer than the rest of the line.
template <void (*Compose)(const tm& now, std::string& out)>
bool once_a_second(Exchange&, std::string_view, const void*, std::string& out) {
  thread_local std::time_t second = -1;
  thread_local std::string text;
  if (const std::time_t now = std::time(nullptr); now != second) {
    tm local{};
    ::localtime_r(&now, &local);
    text.clear();
    Compose(local, text);
    second = now;
  }
  out.append(text);
  return true;
}

// 2026-11-24T10:00:00+00:00
void compose_iso8601(const tm& now, std::string& out) {
  append_number(static_cast<std::uint64_t>(now.tm_year) + 1900, out);
  out.push_back('-');
  append_two(now.tm_mon + 1, out);
  out.push_back('-');
  append_two(now.tm_mday, out);
  out.push_back('T');
  append_clock(now, out);
  append_zone(now.tm_gmtoff, true, out);
}

// 24/Nov/2026:10:00:00 +0000, whatever the locale
void compose_local(const tm& now, std::string& out) {
  static constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  append_two(now.tm_mday, out);
  out.push_back('/');
  out.append(months.substr(static_cast<std::size_t>(now.tm_mon) * 3, 3));
  out.push_back('/');
  append_number(static_cast<std::uint64_t>(now.tm_year) + 1900, out);
  out.push_back(':');
  append_clock(now, out);
  out.push_back(' ');
  append_zone(now.tm_gmtoff, false, out);
}

constexpr VariableRow rows[] = {
    {"hostname", hostname}, {"msec", msec}, {"nginx_version", nginx_version}, {"pid", pid},
    {"time_iso8601", once_a_second<compose_iso8601>}, {"time_local", once_a_second<compose_local>},
};

}  // namespace

std::span<const VariableRow> process_variables() { return rows; }

}  // namespace seawall
