// Listener: accepts connections from one listening socket on one loop and hands each descriptor on. A shared socket is
// watched by every loop with EPOLLEXCLUSIVE, so that one connection wakes one loop. One loop.
#pragma once
#include <cstdint>
#include <functional>

#include "seawall/async/event.h"
#include "seawall/async/task.h"
#include "seawall/base/fd.h"
#include "seawall/net/loop.h"

namespace seawall {

// Who takes accepted connections.
class Acceptor {
 public:
  // A new connection.
  virtual void accepted(Fd fd) = 0;
  // Descriptors are used up: close something idle if there is anything; true if that freed one.
  virtual bool make_room() = 0;
  // Could not take a connection; `error` is errno.
  virtual void accept_failed(int error) = 0;

 protected:
  ~Acceptor() = default;
};

class SEAWALL_API Listener final : public EpollSource {
 public:
  // `fd` stays the owner's; it stays open until run() has ended.
  Listener(int fd, Acceptor& acceptor);
  ~Listener();

  // Accepts until the scope is cancelled, and then what is in the queue.
  Task<void> run();
  void on_events(std::uint32_t) override { readable_.set(); }

  // Descriptors that accept leaves to logs, reload and files.
  static constexpr int kReserved = 5;

 private:
  enum class Accepted { one, none, crowded, failed };
  Accepted accept_one();
  bool hand_on(Fd fd);
  bool listen_again();
  Task<void> take_place();
  void stop();
  void finish();
  const int fd_;
  Acceptor& acceptor_;
  Event readable_;
  bool stopped_ = false;
  Fd newcomer_;  // that has a number of the reserve, while room is being made
};

}  // namespace seawall
