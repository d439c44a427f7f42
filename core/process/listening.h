// The listening sockets of the server: opened by the supervisor, which keeps them over reloads, and handed to workers by
// fork. Supervisor thread.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "seawall/base/fd.h"
#include "seawall/route/endpoints.h"

namespace seawall {

// One address with its descriptors: one, or with reuseport one for each loop.
class OpenSocket {
 public:
  OpenSocket(const Address& address, bool reuseport) : address(address), reuseport(reuseport) {}
  const Address address;
  const bool reuseport;
  std::vector<Fd> fds;
};

class Listening {
 public:
  // Opens what `sockets` asks for, taking over what `from` has open already for the same address. An address that is in
  // use is tried five times, half a second apart. Throws std::runtime_error in nginx's wording.
  static std::unique_ptr<Listening> open(std::span<const ListenSocket> sockets, int loops, const Listening* from);

  // The descriptor of sockets[index] for this loop.
  int fd(std::size_t index, int loop) const;
  // After a reload succeeded: closes what the new configuration does not listen on; its unix paths go, too.
  void close_unused(const Listening& by);
  // The paths of unix sockets are removed when the server ends for good.
  void remove_paths();

 private:
  std::shared_ptr<OpenSocket> take(const ListenSocket& socket) const;
  std::vector<std::shared_ptr<OpenSocket>> sockets_;
};

}  // namespace seawall
