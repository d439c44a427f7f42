// The listening sockets of the server: opened by the supervisor, which keeps them over reloads, and handed to workers by
// fork. A socket is never closed while its address is listened on, as its queue would go with it: a new configuration
// takes over all that are there, and its loops accept on all of them, whatever their number. Supervisor thread, unless
// it says otherwise.
#pragma once
#include <sys/types.h>

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
  Address address;
  std::vector<std::shared_ptr<Fd>> fds;
  pid_t opener = 0;  // our parent, if it has opened this: the path is its own for as long as it lives
};

class Listening {
 public:
  // Opens what `sockets` asks for, taking over what `from` has open for the same address. An address that is in use is
  // tried five times, half a second apart. Throws std::runtime_error in nginx's wording.
  static std::unique_ptr<Listening> open(std::span<const ListenSocket> sockets, int loops, const Listening* from);
  // Those that another process has opened (inherited.h); `from` of the first open().
  static std::unique_ptr<Listening> adopt(std::vector<OpenSocket> sockets);

  // In the worker, before it says that it serves: listens on what open() has added to addresses that are in use. Before
  // that the kernel would give them connections that nobody may ever accept. Throws as open().
  void listen_rest(std::span<const ListenSocket> sockets) const;
  // The descriptors of sockets[index] on which this loop accepts.
  std::vector<int> fds(std::size_t index, int loop) const;
  // In a worker whose loop accepts no more: the last loop closes all. Any loop's thread.
  void leave() const;
  // Here, when the server accepts no more.
  void close_all() const;
  // Closes what a new configuration does not listen on: in its worker, and here once that serves; then its unix paths go, too.
  void close_unused(const Listening& by) const;
  void remove_unused_paths(const Listening& by) const;
  // The paths of unix sockets are removed when the server ends for good.
  void remove_paths() const;

  const std::vector<OpenSocket>& all() const { return sockets_; }

 private:
  const OpenSocket* find(const Address& address) const;
  std::vector<OpenSocket> sockets_;
  int loops_ = 1;
  mutable std::atomic<int> staying_ = 1;  // loops that accept, in a worker
};

}  // namespace seawall
