// HandshakeHook: who is asked while a handshake stands still: once the client has said hello, and for the connection's certificates
// (ssl_client_hello_by_lua, ssl_certificate_by_lua). Set at start-up, in TlsConf; any loop.
#pragma once
#include "seawall/async/deadline.h"
#include "seawall/async/task.h"

namespace seawall {

class Exchange;
class TlsStream;

class HandshakeHook {
 public:
  virtual ~HandshakeHook() = default;
  // `nobody`: a request that has said nothing yet; it ends behind this. False: the handshake ends.
  virtual Task<bool> run(Exchange& nobody, TlsStream& tls, Deadline deadline) const = 0;
};

}  // namespace seawall
