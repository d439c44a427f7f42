#include "seawall/route/listen.h"

#include <unistd.h>

#include <climits>
#include <optional>
#include <string_view>

#include "seawall/base/text.h"
#include "seawall/config/directive.h"

namespace seawall {
namespace {

using Warn = std::function<void(const std::string&)>;

[[noreturn]] void refuse(std::string_view what, std::string_view word) {
  throw ConfigError("invalid " + std::string(what) + " \"" + std::string(word) + "\"");
}

std::optional<int> count_of(std::string_view text) {
  const auto n = parse_decimal(text);
  return n && *n <= INT_MAX ? std::optional(static_cast<int>(*n)) : std::nullopt;
}

// ---- parameters NAME=VALUE: each gets the value and the whole word --------------------------------------------------
void read_fastopen(ListenOptions& o, std::string_view value, std::string_view word) {
  const auto n = count_of(value);
  if (!n) refuse("fastopen", word);
  o.fastopen = *n;
}

void read_backlog(ListenOptions& o, std::string_view value, std::string_view word) {
  const auto n = count_of(value);
  if (!n || *n == 0) refuse("backlog", word);
  o.backlog = *n;
}

void read_rcvbuf(ListenOptions& o, std::string_view value, std::string_view word) {
  const auto size = size_of(value);
  if (!size || *size > INT_MAX) refuse("rcvbuf", word);
  o.rcvbuf = *size;
}

void read_sndbuf(ListenOptions& o, std::string_view value, std::string_view word) {
  const auto size = size_of(value);
  if (!size || *size > INT_MAX) refuse("sndbuf", word);
  o.sndbuf = *size;
}

void read_ipv6only(ListenOptions& o, std::string_view value, std::string_view word) {
  if (!value.starts_with('o')) refuse("parameter", word);
  if (value != "on" && value != "off") refuse("ipv6only flags", value);
  o.ipv6only = value == "on";
}

std::string_view next_field(std::string_view& rest) {
  const auto colon = rest.find(':');
  const auto field = rest.substr(0, colon);
  rest = colon == std::string_view::npos ? std::string_view{} : rest.substr(colon + 1);
  return field;
}

// A time in whole seconds; an empty one is 0.
std::optional<std::chrono::seconds> seconds_of(std::string_view text) {
  if (text.empty()) return std::chrono::seconds(0);
  const auto time = time_of(text);
  if (!time || *time % std::chrono::seconds(1) != std::chrono::milliseconds(0)) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::seconds>(*time);
}

// on | off | [idle]:[interval]:[count]
void read_so_keepalive(ListenOptions& o, std::string_view value, std::string_view) {
  o.so_keepalive = value == "off" ? ListenOptions::Keepalive::off : ListenOptions::Keepalive::on;
  if (value == "on" || value == "off") return;
  std::string_view rest = value;
  const auto idle = seconds_of(next_field(rest));
  const auto interval = seconds_of(next_field(rest));
  const auto count = rest.empty() ? std::optional(0) : count_of(rest);
  if (!idle || !interval || !count || (idle->count() == 0 && interval->count() == 0 && *count == 0))
    throw ConfigError("invalid so_keepalive value: \"" + std::string(value) + "\"");
  o.keepidle = *idle;
  o.keepintvl = *interval;
  o.keepcnt = *count;
}

[[noreturn]] void refuse_accept_filter(ListenOptions&, std::string_view, std::string_view word) {
  throw ConfigError("accept filters \"" + std::string(word) + "\" are not supported on this platform");
}

struct Valued {
  std::string_view prefix;
  void (*read)(ListenOptions&, std::string_view value, std::string_view word);
};

// setfib= is FreeBSD's: an invalid parameter here, as in nginx on Linux.
constexpr Valued kValued[] = {
    {"fastopen=", read_fastopen}, {"backlog=", read_backlog},   {"rcvbuf=", read_rcvbuf},
    {"sndbuf=", read_sndbuf},     {"ipv6only=", read_ipv6only}, {"so_keepalive=", read_so_keepalive},
    {"accept_filter=", refuse_accept_filter},
};

// ---- parameters of one word -----------------------------------------------------------------------------------------
struct Word {
  std::string_view word;
  bool ListenOptions::*flag;
  bool of_socket;
};

constexpr Word kWords[] = {
    {"default_server", &ListenOptions::default_server, false},
    {"default", &ListenOptions::default_server, false},
    {"ssl", &ListenOptions::ssl, false},
    {"http2", &ListenOptions::http2, false},
    {"proxy_protocol", &ListenOptions::proxy_protocol, false},
    {"bind", &ListenOptions::bind, true},
    {"deferred", &ListenOptions::deferred, true},
    {"reuseport", &ListenOptions::reuseport, true},
};

void mark_socket(ListenOptions& o) { o.set = o.bind = true; }

bool read_valued(ListenOptions& o, std::string_view word) {
  for (const Valued& valued : kValued) {
    if (!word.starts_with(valued.prefix)) continue;
    valued.read(o, word.substr(valued.prefix.size()), word);
    mark_socket(o);
    return true;
  }
  return false;
}

bool read_word(ListenOptions& o, std::string_view word) {
  for (const Word& known : kWords) {
    if (word != known.word) continue;
    o.*known.flag = true;
    if (known.of_socket) mark_socket(o);
    return true;
  }
  return false;
}

void read_parameter(ListenOptions& o, const std::string& word, const Warn& warn) {
  if (word == "http2")
    warn("the \"listen ... http2\" directive is deprecated, use the \"http2\" directive instead");
  if (word == "quic") throw ConfigError("the \"quic\" parameter requires HTTP/3, which is not supported yet");
  if (word == "multipath") return warn("multipath is not supported on this platform, ignored");
  if (!read_word(o, word) && !read_valued(o, word)) refuse("parameter", word);
}

}  // namespace

Listen parse_listen(const std::vector<std::string>& words, const Warn& warn) {
  Listen listen;
  listen.addresses = listen_addresses(words.at(0));
  for (std::size_t i = 1; i < words.size(); ++i) read_parameter(listen.options, words[i], warn);
  return listen;
}

Listen default_listen() {
  Listen listen;
  listen.addresses.push_back(Address::any_ipv4(getuid() == 0 ? 80 : 8000));
  return listen;
}

}  // namespace seawall
