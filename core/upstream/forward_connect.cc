// A connection to the server that is asked: one that is open, or a new one with its handshake.
#include <cerrno>

#include "seawall/net/loop.h"
#include "seawall/net/proxy_header.h"
#include "seawall/tls/error.h"
#include "seawall/upstream/forwarding.h"
#include "seawall/upstream/h2_client.h"
#include "seawall/upstream/h2_request.h"

namespace seawall {
namespace {

constexpr std::size_t kMostSessions = 256;  // of a group, for each loop

// nginx's levels: a refusal is everyday, a socket file that is not there is not.
Level level_of(const std::error_code& error) {
  switch (error.value()) {
    case ECONNREFUSED: case ECONNRESET: case ENETDOWN: case ENETUNREACH: case EHOSTDOWN: case EHOSTUNREACH: case ETIMEDOUT: case EPIPE:
      return Level::error;
    default: return Level::crit;
  }
}

// A health check is about its connection, too: it is nobody else's, and ends with the check.
std::shared_ptr<H2Upstream> open_alone(Loop& loop, std::unique_ptr<Stream> stream, const H2Key& key) {
  H2UpstreamUse use;
  use.key = key;
  auto connection = std::make_shared<H2Upstream>(loop, std::move(stream), std::move(use), nullptr);
  loop.scope().spawn(H2Upstream::run(connection));
  return connection;
}

}  // namespace

DialOptions Forwarding::dial_options() const {
  DialOptions options;
  options.keepalive = *conf_.socket_keepalive;
  options.receive_buffer = static_cast<int>(*conf_.socket_receive_buffer);
  options.send_buffer = static_cast<int>(*conf_.socket_send_buffer);
  if (conf_.bind->off) return options;
  const std::string text = conf_.bind->address.eval(x_);
  options.transparent = conf_.bind->transparent;
  if (const auto from = Address::parse(text)) options.from = *from;
  else if (!text.empty()) x_.log(Level::error, "invalid local address \"" + text + "\"");
  return options;
}

// What tells connections to the same server from one another, besides who may use them. Those of HTTP/2 may be shared by requests
// that go out from different addresses.
std::string Forwarding::identity() const {
  std::string text;
  if (to_.tls) text = to_.tls->identity(x_, to_.tls_name);
  if (to_.http2 && !conf_.bind->off && !conf_.bind->address.is_literal()) text.append("\n").append(conf_.bind->address.eval(x_));
  if (to_.proxy_protocol) text.append("\n").append(proxy_header());
  return text;
}

// A health check is nobody's request.
std::string Forwarding::proxy_header() const {
  const Address nobody{};
  return write_proxy_header(to_.proxy_protocol, attempts_.only ? nobody : x_.connection.remote, attempts_.only ? nobody : x_.connection.local);
}

// In front of everything, of TLS as well.
Task<bool> Forwarding::send_proxy_header() {
  const std::string header = proxy_header();
  Socket& socket = connection_->stream->socket();
  for (std::string_view left = header; !left.empty();) {
    const iovec piece{const_cast<char*>(left.data()), left.size()};
    const Io io = socket.try_write({&piece, 1});
    if (io.kind == Io::done) {
      left.remove_prefix(io.n);
      continue;
    }
    Errc waited = Errc::ok;
    if (io.kind == Io::want_write) waited = co_await socket.wait(Socket::writing, Deadline::in(send_timeout(), Wait::upstream_send));
    if (io.kind == Io::want_write && waited == Errc::ok) continue;
    failure_.why = waited == Errc::timed_out ? next_upstream::timeout : next_upstream::error;
    if (io.kind != Io::want_write) log_failed("send()", error_of(io));
    co_return false;
  }
  co_return true;
}

bool Forwarding::take_open(const H2Key& key) {
  if (!to_.http2) {
    connection_ = group_.pool.take(key.address, key.tag, key.identity);
  } else if (auto shared = group_.h2.find(key)) {
    connection_ = std::make_unique<UpstreamConnection>();
    share(std::move(shared));
  }
  return connection_ != nullptr;
}

void Forwarding::share(std::shared_ptr<H2Upstream> connection) {
  connection_->request = std::make_unique<H2Request>(std::move(connection));
  to_.http2->use(*connection_->request);
}

// An open connection or a new one; false: failed, and said so. Requests that come while one to share is being opened wait for it,
// once.
Task<bool> Forwarding::connect() {
  const bool of_location = to_.group->keepalive_local || to_.tls || (to_.http2 && to_.group->keepalive <= 0);
  const H2Key key{peer_->peer->address, of_location ? &conf_ : nullptr, identity()};
  reused_ = !attempts_.only && take_open(key);
  if (reused_) co_return true;
  if (!to_.http2) co_return co_await open_new(key);
  if (!attempts_.only && group_.h2.is_opening(key)) {
    const Errc waited = co_await group_.h2.opened(key, Deadline::in(connect_timeout(), Wait::connect));
    if (waited == Errc::cancelled) co_return false;
    reused_ = take_open(key);
    if (reused_) co_return true;
  }
  const H2Pool::Opening opening(group_.h2, key);
  const bool open = co_await open_new(key);
  if (open && attempts_.only) share(open_alone(x_.loop, std::move(connection_->stream), key));
  else if (open) share(group_.h2.open(std::move(connection_->stream), key));
  co_return open;
}

Task<bool> Forwarding::open_new(const H2Key& key) {
  Result<Fd> fd = start_connecting(key.address, dial_options());
  if (!fd) {
    log(level_of(fd.error()), "connect() to " + peer_->peer->name + " failed " + describe(fd.error()));
    failure_.why = next_upstream::error;
    failure_.unreachable = true;
    co_return false;
  }
  connection_ = std::make_unique<UpstreamConnection>();
  connection_->address = key.address;
  connection_->tag = key.tag;
  connection_->identity = key.identity;
  connection_->started = x_.loop.now();
  const bool opened = open_stream(std::move(*fd));
  if (!opened) co_return false;
  const Result<void> done = co_await connected(*connection_->stream, Deadline::in(connect_timeout(), Wait::connect));
  if (done && to_.proxy_protocol) {
    const bool sent = co_await send_proxy_header();
    if (!sent) co_return false;
  }
  if (done && tls_) co_return co_await shake_hands();
  if (done) co_return true;
  failure_.unreachable = true;
  failure_.why = done.error() == Errc::timed_out ? next_upstream::timeout : next_upstream::error;
  if (done.error() != Errc::timed_out && done.error() != Errc::cancelled)
    log(Level::error, "connect() failed " + describe(done.error()));
  co_return false;
}

// False: our certificate cannot be loaded.
bool Forwarding::open_stream(Fd fd) {
  tls_ = nullptr;
  if (!to_.tls) {
    connection_->stream = std::make_unique<Stream>(std::move(fd));
    return true;
  }
  try {
    auto tls = to_.tls->make_stream(std::move(fd), x_, to_.tls_name, tls_name_);
    tls_ = tls.get();
    connection_->stream = std::move(tls);
  } catch (const TlsError& error) {
    log(Level::error, error.what());
    connection_.reset();
    failure_.why = next_upstream::nobody_else;
    failure_.status = 500;
    return false;
  }
  if (*to_.tls->tls_session_reuse) use_sessions(*tls_);
  return true;
}

// Sessions of a peer are its own, and of the settings and the name they were made with.
void Forwarding::use_sessions(TlsClientStream& tls) {
  const std::string key = std::to_string(reinterpret_cast<std::uintptr_t>(to_.tls)) + " " + peer_->peer->name + " " + connection_->identity;
  if (const auto known = group_.sessions.find(key); known != group_.sessions.end()) tls.resume(known->second.get());
  if (own_group_) return;  // it ends with the request
  // Names may come from clients: there is no end of them.
  tls.on_session = [&sessions = group_.sessions, key](SessionPtr session) {
    if (sessions.size() >= kMostSessions && !sessions.contains(key)) sessions.erase(sessions.begin());
    sessions[key] = std::move(session);
  };
}

Task<bool> Forwarding::shake_hands() {
  doing_ = "SSL handshaking to upstream";
  const Result<void> done = co_await tls_->handshake(Deadline::in(connect_timeout(), Wait::connect));
  if (!done) {
    failure_.why = done.error() == Errc::timed_out ? next_upstream::timeout : next_upstream::error;
    if (done.error() == Errc::tls_failed) log(Level::error, "SSL_do_handshake() failed " + tls_->error_text());
    else failure_.unreachable = true;
    if (done.error() == Errc::peer_closed) log(Level::error, "peer closed connection in SSL handshake");
    else if (failure_.unreachable && done.error() != Errc::timed_out && done.error() != Errc::cancelled) log_failed("SSL_do_handshake()", done.error());
    co_return false;
  }
  if (!*to_.tls->tls_verify) co_return true;
  const std::string wrong = tls_->verify(tls_name_);
  if (wrong.empty()) co_return true;
  log(Level::error, wrong);
  failure_.why = next_upstream::error;
  co_return false;
}

}  // namespace seawall
