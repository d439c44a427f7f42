// How a TLS handshake goes: what OpenSSL asks on the way, where it stands still, and what a client sends before it is over.
#include <openssl/err.h>

#include "seawall/tls/alpn_challenges.h"
#include "seawall/tls/context_parts.h"
#include "seawall/tls/tls_stream.h"

namespace seawall {
namespace {

// The host_name of the server_name extension (RFC 6066 3); empty when there is none.
std::string_view name_in_hello(SSL* ssl) {
  const unsigned char* data;
  std::size_t size;
  if (!SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &data, &size) || size < 5) return {};
  const std::size_t length = static_cast<std::size_t>(data[3]) << 8 | data[4];
  if (data[2] != TLSEXT_NAMETYPE_host_name || length + 5 > size) return {};
  return {reinterpret_cast<const char*>(data) + 5, length};
}

// SSL_set_SSL_CTX takes the certificates; the rest is what it leaves as the first context had it.
void switch_context(SSL* ssl, SSL_CTX* to) {
  const std::string& groups = TlsState::of(to).groups;
  const bool other_groups = groups != TlsState::of(SSL_get_SSL_CTX(ssl)).groups;
  SSL_set_SSL_CTX(ssl, to);
  SSL_set_verify(ssl, SSL_CTX_get_verify_mode(to), SSL_CTX_get_verify_callback(to));
  SSL_set_verify_depth(ssl, SSL_CTX_get_verify_depth(to));
  SSL_clear_options(ssl, SSL_get_options(ssl) & ~SSL_CTX_get_options(to));
  SSL_set_options(ssl, SSL_CTX_get_options(to));
  SSL_set_min_proto_version(ssl, SSL_CTX_get_min_proto_version(to));
  SSL_set_max_proto_version(ssl, SSL_CTX_get_max_proto_version(to));
  SSL_set_num_tickets(ssl, SSL_CTX_get_num_tickets(to));
  SSL_set_max_early_data(ssl, SSL_CTX_get_max_early_data(to));
  if (other_groups) SSL_set1_groups_list(ssl, groups.c_str());
}

void refuse_versions(SSL* ssl, std::uint64_t versions) {
  SSL_set_min_proto_version(ssl, 0);
  SSL_set_max_proto_version(ssl, 0);
  SSL_clear_options(ssl, SSL_OP_NO_SSL_MASK);
  SSL_set_options(ssl, versions);
}

}  // namespace

// OpenSSL's callbacks, which see a stream from inside.
struct TlsCallbacks {
  static TlsStream& stream(const SSL* ssl) { return *static_cast<TlsStream*>(SSL_get_ex_data(ssl, TlsStream::index())); }

  static int client_hello(SSL* ssl, int* alert, void*) {
    if (!SSL_get_ex_data(ssl, TlsStream::index())) return SSL_CLIENT_HELLO_SUCCESS;  // in memory: tls/scan.cc
    auto& self = stream(ssl);
    if (AlpnChallenges::all().answer(ssl, name_in_hello(ssl))) return SSL_CLIENT_HELLO_SUCCESS;
    if (self.stands_still(HandshakeStop::hello)) return SSL_CLIENT_HELLO_RETRY;
    if (self.asked(HandshakeStop::hello) == TlsStream::Asked::ends) {
      *alert = SSL_AD_HANDSHAKE_FAILURE;
      return SSL_CLIENT_HELLO_ERROR;
    }
    const TlsContext* context = self.selector_->select(name_in_hello(ssl));
    if (!context) {
      *alert = SSL_AD_UNRECOGNIZED_NAME;
      return SSL_CLIENT_HELLO_ERROR;
    }
    const TlsContext::Handle chosen = context->current();
    if (chosen.get() != SSL_get_SSL_CTX(ssl)) switch_context(ssl, chosen.get());
    if (self.refused_versions_) refuse_versions(ssl, *self.refused_versions_);
    return SSL_CLIENT_HELLO_SUCCESS;
  }

  // Negative: the handshake stands still.
  static int load_certificates(SSL* ssl, void*) {
    if (!SSL_get_ex_data(ssl, TlsStream::index())) return 1;
    TlsStream& self = stream(ssl);
    const TlsStream::Asked asked = self.asked(HandshakeStop::certificates);
    if (asked != TlsStream::Asked::no) return asked == TlsStream::Asked::goes_on ? 1 : 0;
    if (!self.selector_->load_certificates(ssl)) return 0;
    return self.stands_still(HandshakeStop::certificates) ? -1 : 1;
  }

  // Only says that the name was understood, so that sessions carry it.
  static int server_name(SSL*, int*, void*) { return SSL_TLSEXT_ERR_OK; }

  static int alpn(SSL* ssl, const unsigned char** out, unsigned char* out_size, const unsigned char* in, unsigned in_size,
                  void*) {
    static const unsigned char ours[] = "\x02h2\x08http/1.1\x08http/1.0";
    const unsigned skipped = stream(ssl).selector_->offers_h2() ? 0 : 3;
    unsigned char* chosen;
    if (SSL_select_next_proto(&chosen, out_size, ours + skipped, sizeof ours - 1 - skipped, in, in_size) != OPENSSL_NPN_NEGOTIATED)
      return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
  }

  // Key updates, and what OpenSSL answers a wish for renegotiation with: an alert that is only a warning.
  static void message(int written, int, int type, const void*, std::size_t, SSL* ssl, void*) {
    if (type != (written ? SSL3_RT_ALERT : SSL3_RT_HANDSHAKE)) return;
    auto* const self = static_cast<TlsStream*>(SSL_get_ex_data(ssl, TlsStream::index()));
    if (self && self->established_) ++self->late_messages_;
  }
};

void TlsStream::prepare(SSL_CTX* ctx) {
  SSL_CTX_set_client_hello_cb(ctx, TlsCallbacks::client_hello, nullptr);
  SSL_CTX_set_tlsext_servername_callback(ctx, TlsCallbacks::server_name);
  SSL_CTX_set_alpn_select_cb(ctx, TlsCallbacks::alpn, nullptr);
  SSL_CTX_set_msg_callback(ctx, TlsCallbacks::message);
}

void TlsStream::prepare_loading(SSL_CTX* ctx) { SSL_CTX_set_cert_cb(ctx, TlsCallbacks::load_certificates, nullptr); }

bool TlsStream::stands_still(HandshakeStop stop) {
  if (asked(stop) != Asked::no || !selector_->asks(stop)) return false;
  due_ = stop;
  return true;
}

// OpenSSL comes to the same place again and finds the answer: it is its to tell the client that there is none.
Task<Result<void>> TlsStream::ask(Deadline deadline) {
  const HandshakeStop stop = *std::exchange(due_, std::nullopt);
  const bool goes_on = co_await selector_->ask(stop, *this, deadline);
  if (!goes_on && deadline.passed()) co_return Errc::timed_out;
  if (!goes_on && socket_.peer_gone()) co_return Errc::peer_closed;  // nobody is there to be told
  asked(stop) = goes_on ? Asked::goes_on : Asked::ends;
  co_return Result<void>();
}

Task<Result<void>> TlsStream::handshake(Deadline deadline) {
  char first;
  for (;;) {
    const Io io = socket_.try_peek({&first, 1});
    if (io.kind == Io::done) break;
    if (io.kind != Io::want_read) co_return error_of(io);
    const Errc waited = co_await socket_.wait(Socket::reading, deadline);
    if (waited != Errc::ok) co_return waited;
  }
  reads_early_ = SSL_get_max_early_data(ssl_) > 0;
  // A TLS record, or the high bit of an SSLv2 hello that OpenSSL refuses by itself; anything else is not TLS.
  if (first != SSL3_RT_HANDSHAKE && (static_cast<unsigned char>(first) & 0x80) == 0) co_return Errc::plain_on_tls;
  for (;;) {
    ERR_clear_error();
    Io io = reads_early_ ? take_early(Loop::current().scratch()) : Io::of(0);
    if (io.kind == Io::done && !early_) {
      const int result = SSL_do_handshake(ssl_);
      io = result == 1 ? Io::of(0) : io_of(result);
    }
    const Io sent = send_gathered();
    if (sent.kind == Io::failed) io = sent;
    if (io.kind != Io::failed && due_) {
      const Result<void> asked = co_await ask(deadline);
      if (!asked) co_return asked;
      continue;
    }
    if (io.kind == Io::done) {
      established_ = true;
      co_return Result<void>();
    }
    if (io.kind == Io::failed || io.kind == Io::eof) co_return error_of(io);
    if (sent.kind == Io::want_write) io = sent;
    const Errc waited = co_await wait_for(*this, io, deadline);
    if (waited != Errc::ok) co_return waited;
  }
}

// Done without bytes: no more early data comes.
Io TlsStream::read_early(std::span<char> room) {
  std::size_t n = 0;
  switch (SSL_read_early_data(ssl_, room.data(), room.size(), &n)) {
    case SSL_READ_EARLY_DATA_SUCCESS: return Io::of(n);
    case SSL_READ_EARLY_DATA_FINISH: reads_early_ = false; return Io::of(0);
    default: return io_of(0);
  }
}

// The first early data is a request to be answered before the handshake is over: kept until it is read.
Io TlsStream::take_early(std::span<char> room) {
  const Io io = read_early(room);
  if (io.kind != Io::done || io.n == 0) return io;
  early_ = std::make_unique<std::string>(room.data(), io.n);
  was_early_ = true;
  return io;
}

}  // namespace seawall
