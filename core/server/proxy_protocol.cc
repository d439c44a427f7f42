#include "seawall/server/proxy_protocol.h"

#include "seawall/net/proxy_header.h"
#include "seawall/server/connection.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/failures.h"
#include "seawall/server/vhost.h"

namespace seawall {

// Only the header is taken off the socket: what follows may be a TLS handshake, which OpenSSL reads by itself.
Task<bool> read_proxy_protocol(Connection& c) {
  c.enter(ConnState::header);
  c.head_clock.start(c.header_timeout(*c.vhost->core));
  std::array<char, kLongestProxyHeader> bytes;
  Socket& socket = c.stream->socket();
  for (std::size_t before = 0;;) {
    const Io io = socket.try_peek(bytes);
    if (io.kind == Io::eof || io.kind == Io::failed) co_return false;
    // Nothing more will come behind half a header: asking again would not even wait.
    if (io.kind == Io::done && io.n == before && socket.peer_gone()) co_return false;
    if (io.kind == Io::done && io.n != before) {
      before = io.n;
      const ProxyHeader header = parse_proxy_header({bytes.data(), io.n});
      if (header.state == ProxyHeader::broken) {
        // Whose balancer does not speak it wants to know at any level, and once is enough.
        c.log(failed(*c.vhost, Failure::bad_proxy_header, Level::error),
              "broken header: \"" + std::string(bytes.data(), std::min<std::size_t>(io.n, 64)) + "\" while reading PROXY protocol");
        co_return false;
      }
      if (header.state == ProxyHeader::complete) {
        socket.try_read({bytes.data(), header.size});
        c.head_clock.stop();  // from here on it is another address's
        c.info.proxied = std::make_shared<const ProxiedHeader>(Proxied{header.source, header.destination}, header.tlvs);
        co_return true;
      }
    }
    socket.not_yet();
    Errc waited = co_await socket.wait(Socket::reading, c.head_clock.next());
    if (waited == Errc::timed_out) waited = c.head_is_late();
    if (waited == Errc::ok) continue;
    if (waited == Errc::exhausted) c.log(failed(*c.vhost, Failure::too_many_headers), "too many unfinished PROXY protocol headers of this address");
    if (waited == Errc::timed_out) {
      c.time_out(Wait::header, *c.vhost->core);
      c.log(failed(*c.vhost, Failure::timeout_header), "client timed out while reading PROXY protocol");
    }
    co_return false;
  }
}

}  // namespace seawall
