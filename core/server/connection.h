// Connection: one client connection from accept to close, and serve(), the task that is its life. One loop.
#pragma once
#include <exception>
#include <memory>

#include "seawall/base/buffer.h"
#include "seawall/base/list.h"
#include "seawall/net/stream.h"
#include "seawall/server/exchange.h"
#include "seawall/server/head_clock.h"
#include "seawall/server/loop_server.h"
#include "seawall/server/open_place.h"
#include "seawall/server/user_timeout.h"
#include "seawall/tls/tls_stream.h"

namespace seawall {

class H2Connection;
class HandshakeHook;
class TlsConf;

class Connection final : public ListNode, public SniSelector {  // the node: in LoopServer::idle while idle
 public:
  // Accepted at `door`, or where that is null made by the server itself.
  Connection(LoopServer& server, Fd fd, const ListenSocket* door, const Probe* probe);
  ~Connection();

  LoopServer& server;
  const Endpoint* endpoint;   // whose local address it came to
  std::unique_ptr<Stream> stream;
  Buffer in;
  ConnectionInfo info;
  const Vhost* vhost;         // the default server, or the one SNI chose: whose limits hold before a Host is known
  const CoreConf* core;       // of the last request's location, whose limits hold behind it (idle, linger); first the vhost's
  bool linger = false;        // the client may still be sending: close in two steps
  bool abrupt = false;        // it has used up its time: close at once, whatever it still sends
  bool reset = false;         // ... and with a reset (reset_timedout_connection)
  std::int64_t head_started = 0;  // ns: when the first byte of the present request's head was here
  HeadClock head_clock;       // while what comes first is awaited: a PROXY header, a preface, a head

  // When the time of head_clock.next() is over: see HeadClock::is_over().
  Errc head_is_late();
  // Before a wait for a full socket, and when the client is heard again.
  void stretch_user_timeout(Milliseconds send_timeout) { user_timeout_.stretch(stream->socket().fd(), send_timeout); }
  void relax_user_timeout() { user_timeout_.relax(stream->socket().fd()); }

  void enter(ConnState state);
  ConnState state() const { return state_; }
  // client_header_timeout and send_timeout as they are for this connection.
  Milliseconds header_timeout(const CoreConf& core) const;
  Milliseconds send_timeout(const CoreConf& core) const;
  void time_out(Wait wait, const CoreConf& core);  // counts it and says how to close
  void close_with_reset();
  void become_idle();         // joins the list of those that may be closed to make room
  bool has_input() const;     // bytes of the client wait to be read
  std::int64_t idle_since = 0;  // ns: idle or, at the end, lingering
  // For those who look at it (server/loop_tasks.h).
  std::coroutine_handle<> task;        // serve()
  H2Connection* h2 = nullptr;          // while it serves HTTP/2
  const Exchange* exchange = nullptr;  // else the request it has, if any
  bool plain_on_tls = false;  // a client that spoke plain HTTP to a TLS port (497)

  // Whose context the handshake was made with: that of the server that SNI names, or the default's where that has none.
  const TlsConf& shaken_by() const;

  // One line at this level with nginx's tail about the client.
  void log(Level level, std::string_view message) const;
  // What went wrong where nobody expects it: no memory, a module that throws while it logs.
  void log_exception(std::exception_ptr failed) const;

 private:
  void play(const Probe& probe);
  const TlsContext* select(std::string_view name) override;
  bool load_certificates(SSL* ssl) override;
  bool asks(HandshakeStop stop) const override;
  Task<bool> ask(HandshakeStop stop, TlsStream& tls, Deadline deadline) override;
  const HandshakeHook* hook_at(HandshakeStop stop) const;
  bool offers_h2() const override;
  UserTimeout user_timeout_;
  ConnState state_ = ConnState::new_;
  const OpenPlace place_{*this};
};

// The life of a connection: PROXY protocol, handshake, requests, close. Owns the Connection.
Task<void> serve(LoopServer& server, Fd fd, const ListenSocket& door);
// The same for one that was not accepted but made by the server itself; the probe outlives it.
Task<void> serve_probe(LoopServer& server, Fd fd, const Probe& probe);

// Requests over HTTP/1.x, one after another, until the connection is to be closed.
Task<void> serve_h1(Connection& c);
// Requests over HTTP/2, beside each other, until the connection is to be closed.
Task<void> serve_h2(Connection& c);

// The exchange of a head, with the server its Host asks for; its handler runs below `scope`.
std::unique_ptr<Exchange> make_exchange(const Connection& c, ConnectionInfo& info, RequestHead&& head, Scope* scope = nullptr);
// The status when a request may not be answered on this connection, after a line in the log: 421, 497 (plain HTTP on a TLS
// port), 495 and 496 (the client's certificate); 0 when it may.
int wrong_connection(const Connection& c, const Exchange& x);

}  // namespace seawall
