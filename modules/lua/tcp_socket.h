// TcpSocket: a cosocket's connection with what was read ahead. Lua owns it, and what waits in it. Pools: connections that nobody uses
// for now, by pool. One loop.
#pragma once
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "seawall/async/scope.h"
#include "script_socket.h"
#include "ssl.h"
#include "seawall/net/stream.h"
#include "vm.h"

namespace seawall::lua {

class Conf;

class TcpSocket final : public ScriptSocket, public std::enable_shared_from_this<TcpSocket> {
 public:
  std::unique_ptr<Stream> stream;   // null: not connected, or closed
  bool of_request = false;          // ngx.req.socket(): connected to nothing else, and never closed by hand
  Stream* borrowed = nullptr;       // ... the client's own connection
  bool reads_body = false;          // ... the body of its script's request, decoded
  std::string in;                   // read, and not taken yet, from `at` on
  std::size_t at = 0;
  bool read_closed = false;         // the peer has ended, or failed: nothing more comes
  bool write_closed = false;        // nothing more goes
  std::int64_t connect_timeout = -1, send_timeout = -1, read_timeout = -1;  // ms; -1: the block's
  bool reading = false, writing = false, connecting = false;
  std::int64_t reused = 0;
  std::string pool;                 // its name
  std::string host;                 // as asked for, for TLS
  std::int64_t pool_size = 0;       // as asked for at connect; 0: the block's
  std::string from;                 // bind()
  ChainPtr certificate;             // setclientcert(), with
  SharedKey key;

  Stream* connection() const { return borrowed ? borrowed : stream.get(); }
  std::string_view unread() const { return std::string_view(in).substr(at); }
  std::string take(std::size_t size);
  void close();
  void abandon() override;
  bool busy() const { return reading || writing || connecting; }
  // Who reads or writes has ended: where neither is possible any more the last of them closes.
  void settle();
};

class Pools {
 public:
  explicit Pools(Loop& loop) : loop_(loop) {}
  class Kept {
   public:
    std::unique_ptr<Stream> stream;
    std::int64_t reused = 0;
    std::string host;
  };
  // One of the pool; without a stream where there is none.
  Kept take(const std::string& pool);
  // `time` ms, 0: for ever.
  void keep(const std::string& pool, Kept kept, std::int64_t size, std::int64_t time);

 private:
  class Idle {
   public:
    Kept kept;
    bool gone = false;  // taken, or thrown away
  };
  using IdlePtr = std::shared_ptr<Idle>;
  class State {
   public:
    std::map<std::string, std::list<IdlePtr>> idle;
  };
  static Task<void> watch(std::shared_ptr<State> state, std::string pool, IdlePtr idle, std::int64_t time);
  static void wake(Idle& idle);
  Loop& loop_;
  std::size_t pools_made_ = 0;
  std::shared_ptr<State> state_ = std::make_shared<State>();  // and of the tasks that watch
};

// An error of the network in OpenResty's words: "timeout", "closed", "connection refused".
std::string socket_error(const std::error_code& error);

}  // namespace seawall::lua
