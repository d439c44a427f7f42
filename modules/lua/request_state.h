// What Lua keeps for one request: its ngx.ctx, and what its scripts have said of a response that is not there yet. One loop.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "seawall/base/slice.h"
#include "seawall/http/headers.h"

namespace seawall {
class Stream;
class TlsStream;
}

namespace seawall::lua {

class BodyTurn;
class NewBody;
class Script;
class Vm;

class RequestState {
 public:
  RequestState();
  ~RequestState();
  RequestState(const RequestState&) = delete;

  std::shared_ptr<Vm> own_vm;  // lua_code_cache off: first, so that it goes last
  Vm* vm = nullptr;            // whose `ctx` is
  int ctx = 0;                 // the number of its ngx.ctx; 0: none yet
  int status = 0;              // ngx.status as set; 0: not
  int status_to_send() const { return status ? status : 200; }
  Headers headers;             // of the response to come
  bool headers_cleared_type = false;  // ngx.header.content_type = nil: no default either
  bool sent = false;           // the response's head is out of the scripts' hands
  bool body_read = false;      // ngx.req.read_body() has run
  bool body_busy = false;      // a light thread reads from it (BodyTurn)
  bool body_lost = false;      // ... was ended before it had all: the rest alone must not pass for the whole
  std::vector<BodyTurn*> body_waiters;  // a std::deque would hold half a KiB without any
  std::unique_ptr<NewBody> new_body;  // that a script has given the request
  bool set_failed = false;     // a script of set_by_lua
  bool raw_socket = false;     // has taken the connection's bytes
  TlsStream* tls = nullptr;    // whose handshake stands still for a script
  Stream* client = nullptr;    // behind a 101: the connection is the script's
  Slice client_in;             // ... and what had come by then
};

}  // namespace seawall::lua
