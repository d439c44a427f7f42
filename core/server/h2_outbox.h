// H2Outbox: what an HTTP/2 session has to say, on its way to its stream; what the socket does not take waits here. One loop.
#pragma once
#include <string>
#include <string_view>

#include "seawall/net/stream.h"

struct nghttp2_session;

namespace seawall {

class H2Outbox {
 public:
  // Frames that go out before those of the session.
  void begin_with(std::string_view frames) { unsent_.assign(frames); }
  bool empty() const { return unsent_.empty(); }
  // Has the session been given something more to say? Asked when it has nothing, before what there is goes out.
  class More {
   public:
    bool (*of)(void* who) = [](void*) { return false; };
    void* who = nullptr;
    bool operator()() const { return of(who); }
  };
  // All that there is, with as few calls as the socket takes: until there is nothing more (`io` is done) or no room (`io` says what
  // to wait for). False: nghttp2 has failed. `tls`: in batches of whole records.
  bool send(nghttp2_session* session, Stream& stream, bool tls, More more, Io& io);

 private:
  bool send_unsent(Stream& stream, Io& io);
  std::string unsent_;
};

}  // namespace seawall
