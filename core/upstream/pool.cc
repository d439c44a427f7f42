#include "seawall/upstream/pool.h"

#include "seawall/net/loop.h"
#include "seawall/upstream/h2_request.h"

namespace seawall {

UpstreamConnection::UpstreamConnection() = default;
UpstreamConnection::~UpstreamConnection() = default;

Io UpstreamConnection::try_read(std::span<char> room) { return stream ? stream->try_read(room) : request->try_read(room); }
Io UpstreamConnection::try_write(std::span<const iovec> pieces) { return stream ? stream->try_write(pieces) : request->try_write(pieces); }
// What HTTP/2 has taken goes as the server lets it; the wait for the answer bounds that, too.
Io UpstreamConnection::try_flush() { return stream ? stream->try_flush() : Io::of(0); }

void UpstreamConnection::interrupt(Socket::Direction direction, Errc error) {
  if (stream) stream->socket().interrupt(direction, error);
  else request->event(direction).set();
}

// Lives in the frame of the task that watches the connection.
class Pool::Idle final : public ListNode {
 public:
  std::unique_ptr<UpstreamConnection> connection;  // empty: somebody has taken it
};

Pool::Pool(Loop& loop, const Group& group) : loop_(loop), group_(group), scope_(&loop.scope()) {}
Pool::~Pool() = default;

std::unique_ptr<UpstreamConnection> Pool::take(const Address& address, const void* tag, const std::string& identity) {
  for (Idle* idle = idle_.front(); idle; idle = idle_.next(*idle)) {
    const UpstreamConnection& known = *idle->connection;
    if (known.tag != tag || known.identity != identity || !(known.address == address)) continue;
    idle->unlink();
    --count_;
    auto connection = std::move(idle->connection);
    connection->stream->socket().interrupt(Socket::reading, Errc::cancelled);
    return connection;
  }
  return nullptr;
}

// One that is kept other than the group says is kept where the group keeps none, too.
std::int64_t Pool::most(const UpstreamConnection& connection) const {
  constexpr std::int64_t kAnyway = 32;
  return connection.kept_for && group_.keepalive <= 0 ? kAnyway : group_.keepalive;
}

bool Pool::is_used_up(const UpstreamConnection& connection) const {
  if (connection.kept_for) return connection.kept_for->requests > 0 && connection.requests >= connection.kept_for->requests;
  return connection.requests >= static_cast<std::uint64_t>(group_.keepalive_requests) ||
         loop_.now() - connection.started > std::chrono::nanoseconds(group_.keepalive_time).count();
}

void Pool::put(std::unique_ptr<UpstreamConnection> connection) {
  if (most(*connection) <= 0 || loop_.stopping() || !connection->in.empty() || is_used_up(*connection)) return connection->stream->end();
  connection->in.release();
  scope_.spawn(keep(std::move(connection)));
}

// Until somebody takes it, or it is of no use any more.
Task<void> Pool::keep(std::unique_ptr<UpstreamConnection> connection) {
  Stream& stream = *connection->stream;
  const Deadline deadline = Deadline::in(connection->kept_for ? connection->kept_for->idle : group_.keepalive_timeout, Wait::idle);
  const std::int64_t at_most = most(*connection);
  Idle idle;
  idle.connection = std::move(connection);
  idle_.push_front(idle);
  if (++count_ > at_most) idle_.back()->connection->stream->socket().interrupt(Socket::reading, Errc::exhausted);
  for (;;) {
    // TLS says things of its own at any time: tickets, keys.
    char byte;
    const Io io = stream.try_read({&byte, 1});
    if (io.kind != Io::want_read && io.kind != Io::want_write) break;
    const Errc waited = co_await wait_for(stream, io, deadline);
    if (!idle.connection) co_return;
    if (waited != Errc::ok) break;
  }
  idle.unlink();
  --count_;
  idle.connection->stream->end();
}

}  // namespace seawall
