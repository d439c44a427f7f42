// What `listen` says about a socket, as calls to the kernel. Throws std::runtime_error in nginx's wording.
#pragma once
#include "seawall/net/address.h"
#include "seawall/route/listen.h"

namespace seawall {

// Before bind, for a new socket.
void set_bind_options(int fd, const ListenOptions& options, const Address& address);
// Before listen; again on a socket that is taken over from before a reload, another process or systemd (B31).
void set_listen_options(int fd, const ListenOptions& options, const Address& address);

}  // namespace seawall
