#include "seawall/process/inherited.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

#include "seawall/base/text.h"
#include "seawall/log/log.h"

namespace seawall {
namespace {

constexpr int kFirstOfSystemd = 3;
constexpr std::uint64_t kMost = 1024;

std::string take_variable(const char* name) {
  const char* value = std::getenv(name);
  const std::string text = value ? value : "";
  ::unsetenv(name);
  return text;
}

std::vector<int> of_systemd() {
  const auto pid = parse_decimal(take_variable("LISTEN_PID")), count = parse_decimal(take_variable("LISTEN_FDS"));
  take_variable("LISTEN_FDNAMES");
  std::vector<int> fds;
  if (!pid || !count || *count > kMost || *pid != static_cast<std::uint64_t>(::getpid())) return fds;
  for (int i = 0; i < static_cast<int>(*count); ++i) fds.push_back(kFirstOfSystemd + i);
  return fds;
}

std::vector<int> of_old_binary(std::string_view list, const char* variable) {
  std::vector<int> fds;
  while (!list.empty()) {
    const auto end = std::min(list.find_first_of(";:"), list.size());
    const auto fd = parse_decimal(list.substr(0, end));
    if (!fd || *fd > INT32_MAX) {
      log(Level::emerg, "invalid socket number \"" + std::string(list) + "\" in " + variable + " environment variable, ignoring the rest");
      break;
    }
    fds.push_back(static_cast<int>(*fd));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return fds;
}

bool listens(int fd) {
  int accepts = 0, type = 0;
  socklen_t size = sizeof accepts;
  if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &size) < 0 || !accepts) return false;
  size = sizeof type;
  return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

void add(std::vector<OpenSocket>& sockets, int fd) {
  const Result<Address> address = Address::local_of(fd);
  if (!address || !listens(fd)) {
    log(Level::warn, "the inherited descriptor " + std::to_string(fd) + " is no listening socket, ignored");
    return;
  }
  auto owned = std::make_shared<Fd>(fd);
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  log(Level::notice, "using inherited socket " + address->text_with_port());
  for (OpenSocket& open : sockets)
    if (open.address == *address) return open.fds.push_back(std::move(owned));
  sockets.push_back({*address, {std::move(owned)}, ::getppid()});
}

}  // namespace

Inherited::Inherited() {
  std::vector<OpenSocket> found;
  for (int fd : of_systemd()) add(found, fd);
  const std::string list = take_variable("NGINX");
  replaces = !list.empty();
  for (int fd : of_old_binary(list, "NGINX")) add(found, fd);
  sockets = Listening::adopt(std::move(found));
}

std::vector<std::shared_ptr<SharedZone>> inherited_zones() {
  std::vector<std::shared_ptr<SharedZone>> zones;
  for (int fd : of_old_binary(take_variable("SEAWALL_ZONES"), "SEAWALL_ZONES")) {
    auto zone = SharedZone::adopt(Fd(fd));
    if (zone) zones.push_back(std::move(zone));
    else log(Level::warn, "the inherited descriptor " + std::to_string(fd) + " is no shared memory zone that this binary knows, ignored");
  }
  return zones;
}

std::string hand_on_zones() {
  std::string list;
  for (const auto& zone : SharedZone::all()) {
    ::fcntl(zone->fd(), F_SETFD, 0);
    list += std::to_string(zone->fd()) + ";";
  }
  return list;
}

std::string hand_on(const Listening& listening) {
  std::string list;
  for (const OpenSocket& open : listening.all())
    for (const auto& fd : open.fds) {
      ::fcntl(fd->get(), F_SETFD, 0);
      list += std::to_string(fd->get()) + ";";
    }
  return list;
}

}  // namespace seawall
