#include "seawall/server/handshake_hook.h"

#include "seawall/server/connection.h"
#include "seawall/server/handler_run.h"
#include "seawall/server/http_conf.h"
#include "seawall/server/vhost.h"

namespace seawall {
namespace {

// Ends what is asked for a client that leaves meanwhile: who has ended its direction cannot finish a handshake.
class ClientWatch {
 public:
  ClientWatch(Socket& client, Scope& asking) : client_(client), asking_(asking) {
    client_.tell_when_gone(&timer_);
    if (client_.peer_gone()) Scheduler::current().arm(timer_, 0);
  }
  ~ClientWatch() {
    client_.tell_when_gone(nullptr);
    if (timer_.armed()) Scheduler::current().disarm(timer_);
  }
  ClientWatch(const ClientWatch&) = delete;

 private:
  static void fire(Timer& timer) { reinterpret_cast<ClientWatch&>(timer).asking_.cancel(); }
  Timer timer_{&fire};  // first: fire() has only that
  Socket& client_;
  Scope& asking_;
};

}  // namespace

const HandshakeHook* Connection::hook_at(HandshakeStop stop) const {
  if (stop == HandshakeStop::hello) return endpoint->default_server->tls_conf->hello_hook.get();
  return shaken_by().certificate_hook.get();
}

bool Connection::asks(HandshakeStop stop) const { return hook_at(stop) != nullptr; }

// The hook is the configuration's, which outlives the connection.
Task<bool> Connection::ask(HandshakeStop stop, TlsStream& tls, Deadline deadline) {
  Scope& outer = co_await current_scope();
  Scope asking(&outer);
  auto nobody = std::make_unique<Exchange>(info, RequestHead(), *vhost, &asking);
  bool goes_on = false;
  {
    const ClientWatch watch(stream->socket(), asking);
    goes_on = co_await hook_at(stop)->run(*nobody, tls, deadline).in(asking);
  }
  if (nobody->at_work()) co_await end_work(*nobody);
  co_return goes_on;
}

}  // namespace seawall
