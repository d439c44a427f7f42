// Connection: one client connection from accept to close, and serve(), the task that is its life. One loop.
#pragma once
#include <memory>

#include "seawall/base/buffer.h"
#include "seawall/base/list.h"
#include "seawall/net/stream.h"
#include "seawall/server/exchange.h"
#include "seawall/server/loop_server.h"

namespace seawall {

class Connection : public ListNode {  // the node: in LoopServer::idle while idle
 public:
  Connection(LoopServer& server, Fd fd, const Endpoint& endpoint);
  ~Connection();

  LoopServer& server;
  const Endpoint& endpoint;   // where it came in
  const Address& local_key;   // selects the server list where a wildcard socket stands for several addresses
  const AddressServers* servers;  // of the local address
  std::unique_ptr<Stream> stream;
  Buffer in;
  ConnectionInfo info;
  const Vhost* vhost;         // the default server, or the one SNI chose: whose limits hold before a Host is known
  bool linger = false;        // the client may still be sending: close in two steps

  void enter(ConnState state);
  ConnState state() const { return state_; }
  void become_idle();         // joins the list of those that may be closed to make room
  bool plain_on_tls = false;  // a client that spoke plain HTTP to a TLS port (497)

  // One line at this level with nginx's tail about the client.
  void log(Level level, std::string_view message) const;

 private:
  ConnState state_ = ConnState::new_;
};

// The life of a connection: PROXY protocol, handshake, requests, close. Owns the Connection.
Task<void> serve(LoopServer& server, Fd fd, const Endpoint& endpoint);

// Requests over HTTP/1.x, one after another, until the connection is to be closed.
Task<void> serve_h1(Connection& c);

// The server a Host belongs to on this connection.
const Vhost& choose_vhost(const Connection& c, std::string_view host, Captures& captures);

}  // namespace seawall
