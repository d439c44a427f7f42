// The listening sockets of the server: opened by the supervisor, which keeps them over reloads, and handed to workers by
// fork. Supervisor thread, unless it says otherwise.
#pragma once
#include <atomic>
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
  // A socket that nobody accepts on must not stay open in any process: the kernel would go on giving it connections. Closes
  // those beyond one for each loop, left by a configuration with more loops or by one that was refused; in a new worker,
  // and here once it serves.
  void trim() const;
  // In a worker whose loop accepts no more: closes those of its own, and the last loop those of all. Any loop's thread.
  void leave(int loop) const;
  // Closes what a new configuration does not listen on: in its worker, and here once that serves; then its unix paths go, too.
  void close_unused(const Listening& by) const;
  void remove_unused_paths(const Listening& by) const;
  // The paths of unix sockets are removed when the server ends for good.
  void remove_paths();

 private:
  std::shared_ptr<OpenSocket> take(const ListenSocket& socket) const;
  std::vector<OpenSocket*> unused(const Listening& by) const;
  std::vector<std::shared_ptr<OpenSocket>> sockets_;
  std::vector<std::size_t> wanted_;        // descriptors of each
  mutable std::atomic<int> staying_ = 0;  // loops that accept, in a worker
};

}  // namespace seawall
