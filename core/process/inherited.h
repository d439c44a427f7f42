// Listening sockets, and memory, that another process has opened for this one.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "seawall/base/shared_zone.h"
#include "seawall/process/listening.h"

namespace seawall {

class Inherited {
 public:
  // From systemd (LISTEN_PID and LISTEN_FDS, sd_listen_fds(3)) or from the server whose binary this one replaces (NGINX, a list
  // "fd;fd;", as nginx hands it on). Takes these variables out of the environment. What is no listening stream socket is
  // left alone, with a warning in the log. Once, at the start.
  Inherited();
  std::unique_ptr<Listening> sockets;  // never null
  bool replaces = false;               // a running server, which still serves
};

// Shared memory zones of the server whose binary this one replaces (SEAWALL_ZONES, a list "fd;fd;"); taken out of the
// environment. To be kept until the configuration is loaded: it finds them by their names. Once, at the start.
std::vector<std::shared_ptr<SharedZone>> inherited_zones();
// What a new binary is told of ours.
std::string hand_on_zones();

// What a new binary is told of these sockets: the value of NGINX. The descriptors stay open over its exec from now on.
std::string hand_on(const Listening& listening);

}  // namespace seawall
