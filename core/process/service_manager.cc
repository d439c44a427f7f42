#include "seawall/process/service_manager.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "seawall/base/error.h"
#include "seawall/base/fd.h"
#include "seawall/base/text.h"
#include "seawall/log/log.h"

namespace seawall {

namespace {

// A manager that does not read its socket must not hold the supervisor up.
constexpr timeval longest_wait{1, 0};
constexpr std::chrono::minutes kPatience{10};  // of a manager, for a reload

// 0, or the errno of what went wrong.
int send_to_manager(const std::string& state, int flags) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (!path || (path[0] != '/' && path[0] != '@')) return 0;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  const std::size_t length = std::strlen(path);
  if (length >= sizeof to.sun_path) return ENAMETOOLONG;
  std::memcpy(to.sun_path, path, length);
  if (path[0] == '@') to.sun_path[0] = '\0';  // an abstract name
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  const Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd || ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &longest_wait, sizeof longest_wait) != 0) return errno;
  return ::sendto(fd.get(), state.data(), state.size(), flags | MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to), size) < 0 ? errno : 0;
}

void report(int error) {
  if (error) log(Level::warn, "the service manager could not be told: " + describe(system_error_code(error)));
}

}  // namespace

void notify_manager(const std::string& state) { report(send_to_manager(state, 0)); }

void notify_alive() {
  const int error = send_to_manager("WATCHDOG=1", MSG_DONTWAIT);
  if (error != EAGAIN) report(error);  // it has unread ones
}

void notify_reloading() {
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  notify_manager("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.tv_sec * 1'000'000 + now.tv_nsec / 1000));
}

PatientManager::PatientManager(std::optional<std::chrono::microseconds> interval) : interval_(interval) {
  if (interval_) notify_manager("WATCHDOG_USEC=" + std::to_string(std::chrono::microseconds(kPatience).count()));
}

PatientManager::~PatientManager() {
  if (interval_) notify_manager("WATCHDOG_USEC=" + std::to_string(2 * interval_->count()) + "\nWATCHDOG=1");
}

std::optional<std::chrono::microseconds> watchdog_interval() {
  const char* time = std::getenv("WATCHDOG_USEC");
  const char* pid = std::getenv("WATCHDOG_PID");
  if (!time || (pid && parse_decimal(pid) != static_cast<std::uint64_t>(::getpid()))) return std::nullopt;
  const auto us = parse_decimal(time);
  if (!us || *us < 2) return std::nullopt;
  return std::chrono::microseconds(*us / 2);
}

}  // namespace seawall
