// Pool: the idle connections to a group's peers that one loop keeps (keepalive). A connection whose peer closes it, or says
// something unasked, is closed at once; so is the one idle longest when there are too many. One loop.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "seawall/base/buffer.h"
#include "seawall/base/list.h"
#include "seawall/net/address.h"
#include "seawall/net/stream.h"
#include "seawall/upstream/chooser.h"
#include "seawall/upstream/group.h"

namespace seawall {

class H2Request;

// A connection to a peer, in use or idle; or one request's part of an HTTP/2 connection.
class UpstreamConnection {
 public:
  UpstreamConnection();
  ~UpstreamConnection();
  std::unique_ptr<Stream> stream;      // null where it is shared:
  std::unique_ptr<H2Request> request;
  Buffer in;                  // read and not used yet
  Address address;
  const void* tag = nullptr;  // who may use it: null: anybody
  std::string identity;       // over TLS: for which name the peer was verified, and who we said we are
  std::int64_t started = 0;   // ns
  std::uint64_t requests = 0;
  std::optional<KeptFor> kept_for;  // none: as the group says

  Io try_read(std::span<char> room);
  Io try_write(std::span<const iovec> pieces);
  Io try_flush();
  // Ends a wait that is under way.
  void interrupt(Socket::Direction direction, Errc error);
};

class Pool {
 public:
  Pool(Loop& loop, const Group& group);
  ~Pool();

  // One to this peer, the one used last; null: none is idle.
  std::unique_ptr<UpstreamConnection> take(const Address& address, const void* tag, const std::string& identity);
  // Keeps it for others, or closes it.
  void put(std::unique_ptr<UpstreamConnection> connection);

 private:
  class Idle;
  Task<void> keep(std::unique_ptr<UpstreamConnection> connection);
  std::int64_t most(const UpstreamConnection& connection) const;
  bool is_used_up(const UpstreamConnection& connection) const;

  Loop& loop_;
  const Group& group_;
  Scope scope_;
  List<Idle> idle_;  // used last first
  std::int64_t count_ = 0;
};

}  // namespace seawall
