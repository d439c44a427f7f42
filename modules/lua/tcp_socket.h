// TcpSocket: a cosocket's connection with what was read ahead. Lua owns it, and what waits in it. One loop.
#pragma once
#include <memory>
#include <string>

#include "pools.h"
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
  Place place;                      // in it, where it is bounded
  std::string host;                 // as asked for, for TLS
  std::int64_t pool_size = 0;       // as asked for at connect; 0: the block's
  std::string from;                 // bind()
  ChainPtr certificate;             // setclientcert(), with
  SharedKey key;

  Stream* connection() const { return borrowed ? borrowed : stream.get(); }
  std::string_view unread() const { return std::string_view(in).substr(at); }
  std::string take(std::size_t size);
  // A pool's connection, or its place in the pool only.
  void adopt(Kept kept);
  void close();
  void abandon() override;
  bool busy() const { return reading || writing || connecting; }
  // Who reads or writes has ended: where neither is possible any more the last of them closes.
  void settle();
};

// An error of the network in OpenResty's words: "timeout", "closed", "connection refused".
std::string socket_error(const std::error_code& error);

}  // namespace seawall::lua
