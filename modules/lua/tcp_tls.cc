// ngx.socket.tcp: sslhandshake. One loop.
#include <openssl/x509v3.h>
#include <fcntl.h>

#include <cerrno>

#include "lua.h"
#include "seawall/log/log.h"
#include "seawall/server/exchange.h"
#include "seawall/tls/client_stream.h"
#include "tcp.h"

namespace seawall::lua {
namespace {

constexpr const char* kSession = "seawall tls session";

void push_session(lua_State* L, SSL_SESSION* session) { push_object(L, kSession, SessionPtr(session)); }

class HandshakeAwait final : public Await {
 public:
  class Wish {
   public:
    SSL_SESSION* session = nullptr;  // borrowed: on the caller's stack
    std::string name;
    bool verify = false, wants_session = true;
  };
  HandshakeAwait(Call& call, TcpSocket& socket, Wish wish)
      : conf_(conf_of(call)), x_(call.x), socket_(socket), keep_(socket.shared_from_this()), wish_(std::move(wish)) {
    if (wish_.session) SSL_SESSION_up_ref(wish_.session);
  }
  ~HandshakeAwait() override { SSL_SESSION_free(wish_.session); }

  Task<void> run() override {
    socket_.connecting = true;
    co_await shake_hands();
    socket_.connecting = false;
    if (!error_.empty()) socket_.close();
  }
  int push(lua_State* L) override {
    if (!error_.empty()) return push_error(L, error_);
    auto* tls = dynamic_cast<TlsClientStream*>(socket_.stream.get());
    if (wish_.wants_session && tls) push_session(L, SSL_get1_session(tls->ssl()));
    else lua_pushboolean(L, true);
    return 1;
  }

 private:
  Task<void> shake_hands() {
    // The stream's descriptor is its own: the TLS stream gets another one of the same connection.
    Fd fd(::fcntl(socket_.stream->socket().fd(), F_DUPFD_CLOEXEC, 0));
    if (!fd) {
      error_ = socket_error(system_error_code(errno));
      co_return;
    }
    socket_.stream.reset();
    auto tls = std::make_unique<TlsClientStream>(std::move(fd), *conf_.tls);
    if (!wish_.name.empty()) {
      log_debug(x_, [&] { return "lua ssl server name: \"" + wish_.name + "\""; });
      tls->set_server_name(wish_.name);
    }
    if (wish_.session) tls->resume(wish_.session);
    if (socket_.certificate && !(give_chain(tls->ssl(), *socket_.certificate) && SSL_use_PrivateKey(tls->ssl(), socket_.key.get()) == 1)) {
      error_ = "client certificate failed " + openssl_errors();
      co_return;
    }
    SSL_set_options(tls->ssl(), SSL_OP_NO_RENEGOTIATION);  // a write that waits for a read, beside who reads
    TlsClientStream& stream = *tls;
    socket_.stream = std::move(tls);
    const Result<void> done = co_await stream.handshake(wait_deadline(socket_.connect_timeout, *conf_.connect_timeout, Wait::handshake));
    if (!done) {
      error_ = done.error() == Errc::tls_failed ? "handshake failed" : socket_error(done.error());
      if (done.error() == Errc::tls_failed) log_failure("SSL_do_handshake() failed " + stream.error_text());
      else if (done.error() != Errc::timed_out) log_failure("lua ssl handshake: " + error_);
      co_return;
    }
    if (wish_.verify) check(stream);
  }

  void check(TlsClientStream& stream) {
    const long result = SSL_get_verify_result(stream.ssl());
    if (result != X509_V_OK) {
      error_ = std::to_string(result) + ": " + X509_verify_cert_error_string(result);
      log_failure("lua ssl certificate verify error: (" + error_ + ")");
      return;
    }
    if (wish_.name.empty()) return;
    X509* const certificate = SSL_get0_peer_certificate(stream.ssl());
    if (certificate && X509_check_host(certificate, wish_.name.data(), wish_.name.size(), 0, nullptr) == 1) return;
    error_ = "certificate host mismatch";
    log_failure("lua ssl certificate does not match host \"" + wish_.name + "\"");
  }
  void log_failure(const std::string& text) {
    if (!*conf_.log_socket_errors) return;
    if (x_) x_->log(Level::error, text);
    else log(Level::error, text + ", context: ngx.timer");
  }

  const Conf& conf_;
  Exchange* const x_;
  TcpSocket& socket_;
  const std::shared_ptr<TcpSocket> keep_;
  Wish wish_;
  std::string error_;
};

// sslhandshake(socket, session | nil | false, name, verify)
int sslhandshake(lua_State* L) {
  Call& call = check_call(L, kSocket, 3);
  TcpSocket& socket = tcp_at(L, 1, 3);
  if (!socket.stream || socket.read_closed || socket.write_closed) {
    log_closed(call, socket, "attempt to do ssl handshake on a closed socket");
    return push_error(L, "closed");
  }
  if (socket.borrowed) return push_error(L, "not a connection of this script's");
  if (socket.connecting) return push_error(L, "socket busy connecting");
  if (socket.reading) return push_error(L, "socket busy reading");
  if (socket.writing) return push_error(L, "socket busy writing");
  HandshakeAwait::Wish wish;
  wish.wants_session = !(lua_isboolean(L, 2) && !lua_toboolean(L, 2));
  if (lua_isuserdata(L, 2)) wish.session = static_cast<SessionPtr*>(luaL_checkudata(L, 2, kSession))->get();
  wish.name = text_at(L, 3);
  wish.verify = lua_toboolean(L, 4);
  // A connection out of a pool has had its handshake.
  if (auto* tls = dynamic_cast<TlsClientStream*>(socket.stream.get())) {
    if (wish.wants_session) push_session(L, SSL_get1_session(tls->ssl()));
    else lua_pushboolean(L, true);
    return 1;
  }
  // What came in the clear must not pass for something that TLS has protected.
  if (!socket.unread().empty()) return push_error(L, "unread data in buffer");
  return wait_for(L, std::make_unique<HandshakeAwait>(call, socket, std::move(wish)));
}

// setclientcert(socket, certificate, key): nil, nil: none any more
int setclientcert(lua_State* L) {
  TcpSocket& socket = tcp_at(L, 1);
  const bool none = lua_isnoneornil(L, 2);
  if (none != lua_isnoneornil(L, 3)) return push_error(L, none ? "private key without a client certificate" : "client certificate without its private key");
  ChainPtr certificate = none ? nullptr : chain_at(L, 2);
  SharedKey key = none ? nullptr : key_at(L, 3);
  socket.certificate = std::move(certificate);
  socket.key = std::move(key);
  lua_pushboolean(L, true);
  return 1;
}

constexpr luaL_Reg kTls[] = {{"tcp_sslhandshake", sslhandshake}, {"tcp_setclientcert", setclientcert}};

}  // namespace

std::span<const luaL_Reg> tcp_tls_api() { return kTls; }

}  // namespace seawall::lua
