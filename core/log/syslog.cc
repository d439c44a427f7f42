#include "seawall/log/syslog.h"

#include <netdb.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <ctime>
#include <stdexcept>

#include "seawall/base/text.h"

namespace seawall {
namespace {

constexpr const char* kFacilities[] = {"kern", "user", "mail", "daemon", "auth", "intern", "lpr", "news", "uucp", "clock",
                                       "authpriv", "ftp", "ntp", "audit", "alert", "cron", "local0", "local1", "local2",
                                       "local3", "local4", "local5", "local6", "local7"};
constexpr int kLocal7 = 23;
constexpr std::size_t kLongestTag = 32;  // RFC 3164

[[noreturn]] void fail(const std::string& message) { throw std::invalid_argument(message); }

std::string host_name() {
  char name[HOST_NAME_MAX + 1] = "";
  ::gethostname(name, sizeof name - 1);
  return lower(name);
}

// "Nov  5 10:00:00", whatever the locale.
void append_time(std::string& out) {
  static constexpr char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const std::time_t now = std::time(nullptr);
  tm local{};
  ::localtime_r(&now, &local);
  char text[16];
  const std::size_t n = std::strftime(text, sizeof text, " %e %H:%M:%S", &local);
  out.append(months + local.tm_mon * 3, 3).append(text, n);
}

Level severity_of(std::string_view word) {
  for (int level = 0; level <= static_cast<int>(Level::debug); ++level)
    if (word == name_of(static_cast<Level>(level))) return static_cast<Level>(level);
  fail("unknown syslog severity \"" + std::string(word) + "\"");
}

int facility_of(std::string_view word) {
  const auto* found = std::find(std::begin(kFacilities), std::end(kFacilities), word);
  if (found == std::end(kFacilities)) fail("unknown syslog facility \"" + std::string(word) + "\"");
  return static_cast<int>(found - kFacilities);
}

void check_tag(std::string_view tag) {
  if (tag.size() > kLongestTag) fail("syslog tag length exceeds 32");
  const auto allowed = [](char c) { return is_alpha(c) || is_digit(c) || c == '_'; };
  if (!std::all_of(tag.begin(), tag.end(), allowed)) fail("syslog \"tag\" only allows alphanumeric characters and underscore");
}

// "host", "host:port", "[v6]", "[v6]:port" in its parts.
struct HostPort {
  std::string host, port = "514";
};
HostPort split(std::string_view server, const std::string& where) {
  HostPort parts;
  std::size_t end = server.find(':');
  if (server.starts_with('[')) {
    end = server.find(']');
    if (end == server.npos) fail("invalid host" + where);
    parts.host = server.substr(1, end - 1);
    if (++end == server.size()) return parts;
    if (server[end] != ':') fail("invalid host" + where);
  } else {
    parts.host = server.substr(0, end);
  }
  if (parts.host.empty()) fail("no host" + where);
  if (end == server.npos) return parts;
  const auto port = parse_decimal(server.substr(end + 1));
  if (!port || *port == 0 || *port > 65535) fail("invalid port" + where);
  parts.port = std::to_string(*port);
  return parts;
}

}  // namespace

Syslog::Syslog(std::string_view parameters) : host_(host_name() + " ") {
  for (;;) {
    const auto comma = parameters.find(',');
    read(parameters.substr(0, comma));
    if (comma == parameters.npos) break;
    parameters.remove_prefix(comma + 1);
  }
  if (size_ == 0) fail("no syslog server specified");
  if (facility_ < 0) facility_ = kLocal7;
}

void Syslog::read(std::string_view parameter) {
  const auto starts = [&](std::string_view name) { return parameter.starts_with(name); };
  const auto once = [](bool known, const char* name) {
    if (known) fail("duplicate syslog \"" + std::string(name) + "\"");
  };
  if (starts("server=")) {
    once(size_ != 0, "server");
    set_server(parameter.substr(7));
  } else if (starts("facility=")) {
    once(facility_ >= 0, "facility");
    facility_ = facility_of(parameter.substr(9));
  } else if (starts("severity=")) {
    once(has_severity_, "severity");
    severity_ = severity_of(parameter.substr(9));
    has_severity_ = true;
  } else if (starts("tag=")) {
    once(has_tag_, "tag");
    tag_ = parameter.substr(4);
    check_tag(tag_);
    has_tag_ = true;
  } else if (parameter == "nohostname") {
    host_.clear();
  } else {
    fail("unknown syslog parameter \"" + std::string(parameter) + "\"");
  }
}

void Syslog::set_server(std::string_view server) {
  server_ = server;
  const std::string where = " in syslog server \"" + server_ + "\"";
  if (server.starts_with("unix:")) {
    const std::string_view path = server.substr(5);
    sockaddr_un address{};
    if (path.empty()) fail("no path in the unix domain socket" + where);
    if (path.size() >= sizeof address.sun_path) fail("too long path in the unix domain socket" + where);
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, path.size());
    size_ = sizeof address;
    std::memcpy(&address_, &address, size_);
    return;
  }
  const HostPort parts = split(server, where);
  addrinfo wanted{}, *found = nullptr;
  wanted.ai_socktype = SOCK_DGRAM;
  if (::getaddrinfo(parts.host.c_str(), parts.port.c_str(), &wanted, &found) != 0) fail("host not found" + where);
  size_ = found->ai_addrlen;
  std::memcpy(&address_, found->ai_addr, size_);
  ::freeaddrinfo(found);
}

Result<void> Syslog::connect() {
  if (fd_) return {};
  Fd fd(::socket(address_.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return system_error_code(errno);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address_), size_) < 0) return system_error_code(errno);
  fd_ = std::move(fd);
  return {};
}

Result<void> Syslog::send(Level severity, std::string_view message) {
  std::string text = "<" + std::to_string(facility_ * 8 + static_cast<int>(severity)) + ">";
  append_time(text);
  text.append(" ").append(host_).append(tag_).append(": ").append(message);
  std::lock_guard lock(mutex_);
  // A unix socket whose server has gone and come back takes the message on a second try; of a UDP one nobody knows.
  for (bool again = address_.ss_family == AF_UNIX;; again = false) {
    Result<void> connected = connect();
    if (!connected) return connected;
    if (::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL) >= 0) return {};
    const int error = errno;
    if (error == EAGAIN || error == EWOULDBLOCK) return system_error_code(error);
    fd_.reset();
    if (!again) return system_error_code(error);
  }
}

}  // namespace seawall
