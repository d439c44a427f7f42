#include "seawall/tls/tls_stream.h"

#include <openssl/err.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <vector>

#include "seawall/tls/alpn_challenges.h"
#include "seawall/tls/context_parts.h"

namespace seawall {
namespace {

constexpr std::size_t kRecord = 16 * 1024;
// A client can do nothing with half a record, and the first flight of a connection carries some 14 KiB: what begins after a
// pause begins with short ones.
constexpr std::size_t kShortRecord = 4 * 1024, kShortBurst = 12 * 1024;
constexpr std::int64_t kPause = 1'000'000'000;
// What a client may want of the handshake protocol when its handshake is over: a key update in many gigabytes. Each asks for an
// answer, which OpenSSL seals within the same read, whether the socket takes it or not.
constexpr int kMostLateMessages = 32;
constexpr std::size_t kMostPending = kLargestSend + kRecord;

// Records written since the last send, of whichever stream is at work on this thread: emptied before it returns.
thread_local std::string gathered;

int stream_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

}  // namespace

// OpenSSL's callbacks, which see a stream from inside.
struct TlsCallbacks {
  static TlsStream& stream(const SSL* ssl) { return *static_cast<TlsStream*>(SSL_get_ex_data(ssl, stream_index())); }

  static int bio_write(BIO*, const char* data, int size) {
    gathered.append(data, static_cast<std::size_t>(size));
    return size;
  }
  static int bio_read(BIO* bio, char* data, int size) {
    auto& self = *static_cast<TlsStream*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    if (self.late_messages_ > kMostLateMessages) {
      self.last_read_ = Io::fail(0);
      return -1;
    }
    self.last_read_ = self.socket_.try_read({data, static_cast<std::size_t>(size)});
    if (self.last_read_.kind == Io::done) return static_cast<int>(self.last_read_.n);
    if (self.last_read_.kind == Io::want_read) BIO_set_retry_read(bio);
    return self.last_read_.kind == Io::eof ? 0 : -1;
  }
  static long bio_ctrl(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  // Key updates, and what OpenSSL answers a wish for renegotiation with: an alert that is only a warning.
  static void message(int written, int, int type, const void*, std::size_t, SSL* ssl, void*) {
    if (type != (written ? SSL3_RT_ALERT : SSL3_RT_HANDSHAKE)) return;
    auto* const self = static_cast<TlsStream*>(SSL_get_ex_data(ssl, stream_index()));
    if (self && self->established_) ++self->late_messages_;
  }

  static BIO_METHOD* bio_method() {
    static BIO_METHOD* const method = [] {
      BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "seawall socket");
      BIO_meth_set_write(m, bio_write);
      BIO_meth_set_read(m, bio_read);
      BIO_meth_set_ctrl(m, bio_ctrl);
      return m;
    }();
    return method;
  }

  // The host_name of the server_name extension (RFC 6066 3); empty when there is none.
  static std::string_view name_in_hello(SSL* ssl) {
    const unsigned char* data;
    std::size_t size;
    if (!SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &data, &size) || size < 5) return {};
    const std::size_t length = static_cast<std::size_t>(data[3]) << 8 | data[4];
    if (data[2] != TLSEXT_NAMETYPE_host_name || length + 5 > size) return {};
    return {reinterpret_cast<const char*>(data) + 5, length};
  }

  static int client_hello(SSL* ssl, int* alert, void*) {
    if (!SSL_get_ex_data(ssl, stream_index())) return SSL_CLIENT_HELLO_SUCCESS;  // in memory: tls/scan.cc
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

  // SSL_set_SSL_CTX takes the certificates; the rest is what it leaves as the first context had it.
  static void switch_context(SSL* ssl, SSL_CTX* to) {
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

  static void refuse_versions(SSL* ssl, std::uint64_t versions) {
    SSL_set_min_proto_version(ssl, 0);
    SSL_set_max_proto_version(ssl, 0);
    SSL_clear_options(ssl, SSL_OP_NO_SSL_MASK);
    SSL_set_options(ssl, versions);
  }

  // Negative: the handshake stands still.
  static int load_certificates(SSL* ssl, void*) {
    if (!SSL_get_ex_data(ssl, stream_index())) return 1;
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
};

void TlsStream::prepare(SSL_CTX* ctx) {
  SSL_CTX_set_client_hello_cb(ctx, TlsCallbacks::client_hello, nullptr);
  SSL_CTX_set_tlsext_servername_callback(ctx, TlsCallbacks::server_name);
  SSL_CTX_set_alpn_select_cb(ctx, TlsCallbacks::alpn, nullptr);
  SSL_CTX_set_msg_callback(ctx, TlsCallbacks::message);
}

void TlsStream::prepare_loading(SSL_CTX* ctx) { SSL_CTX_set_cert_cb(ctx, TlsCallbacks::load_certificates, nullptr); }

TlsStream::TlsStream(Fd fd, const TlsContext& context, SniSelector& selector)
    : Stream(std::move(fd)), ssl_(SSL_new(context.current().get())), selector_(&selector) {
  BIO* const bio = ssl_ ? BIO_new(TlsCallbacks::bio_method()) : nullptr;
  if (!bio) {
    SSL_free(ssl_);
    throw std::bad_alloc();
  }
  SSL_set_ex_data(ssl_, stream_index(), this);
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  SSL_set_accept_state(ssl_);
}

TlsStream::~TlsStream() {
  // Without this a connection that ended without close_notify would take its session out of the cache.
  SSL_set_shutdown(ssl_, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(ssl_);
}

Io TlsStream::io_of(int result) {
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ: return Io::wants_read();
    case SSL_ERROR_WANT_WRITE: return Io::wants_write();
    case SSL_ERROR_WANT_X509_LOOKUP:
    case SSL_ERROR_WANT_CLIENT_HELLO_CB: return Io::wants_read();  // nothing of the socket's: due_ says so
    case SSL_ERROR_ZERO_RETURN: return Io::ended();
    case SSL_ERROR_SYSCALL:
      ERR_clear_error();
      if (late_messages_ > kMostLateMessages) error_text_ = "client sent too many key updates";
      if (last_read_.kind == Io::failed) return last_read_;
      return Io::ended();
    default:
      error_reason_ = ERR_GET_REASON(ERR_peek_error());
      error_text_ = openssl_errors();
      return Io::fail(0);
  }
}

Io TlsStream::send_gathered() {
  if (!pending_.empty()) {
    pending_ += gathered;
    gathered.clear();
    return try_flush();
  }
  std::string_view left = gathered;
  Io io = Io::of(0);
  while (!left.empty()) {
    const iovec piece{const_cast<char*>(left.data()), left.size()};
    io = socket_.try_write({&piece, 1});
    if (io.kind != Io::done) break;
    left.remove_prefix(io.n);
  }
  if (!left.empty() && io.kind == Io::want_write) pending_.assign(left);
  gathered.clear();
  return io;
}

Io TlsStream::try_flush() {
  while (!pending_.empty()) {
    const iovec piece{pending_.data(), pending_.size()};
    const Io io = socket_.try_write({&piece, 1});
    if (io.kind != Io::done) return io;
    pending_.erase(0, io.n);
  }
  if (pending_.capacity() > 64) pending_ = {};
  return Io::of(0);
}

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

Io TlsStream::try_read(std::span<char> room) {
  if (plain_) return socket_.try_read(room);
  ERR_clear_error();
  std::size_t n = 0;
  if (early_) {
    n = early_->copy(room.data(), room.size());
    early_->erase(0, n);
    if (early_->empty()) early_.reset();
    return Io::of(n);
  }
  if (reads_early_) {
    const Io io = read_early(room);
    if (!gathered.empty()) send_gathered();
    if (reads_early_) return io;
  }
  const int result = SSL_read_ex(ssl_, room.data(), room.size(), &n);
  const Io io = result == 1 ? Io::of(n) : io_of(result);
  if (gathered.empty()) return io;
  send_gathered();  // alerts, key updates
  if (pending_.size() <= kMostPending) return io;
  error_text_ = "client takes no answers to its records";
  return Io::fail(0);
}

Io TlsStream::try_write(std::span<const iovec> pieces) {
  if (plain_) return socket_.try_write(pieces);
  if (!pending_.empty()) {
    const Io io = try_flush();
    if (io.kind != Io::done) return io;
  }
  const std::size_t fixed = fixed_record_size();
  std::size_t accepted = 0, piece = 0, offset = 0;
  char* const record = Loop::current().scratch().data();
  while (piece < pieces.size() && gathered.size() + kRecord + 512 < kLargestSend) {
    // Fill one record from as many pieces as it takes, so that head and body share it; a piece that fills a record goes
    // without a copy.
    const std::size_t longest = fixed ? fixed : burst_ + accepted < kShortBurst ? kShortRecord : kRecord;
    std::size_t filled = 0;
    const char* from = record;
    while (piece < pieces.size() && filled < longest) {
      const std::size_t left = pieces[piece].iov_len - offset;
      const std::size_t n = std::min(left, longest - filled);
      const char* at = static_cast<const char*>(pieces[piece].iov_base) + offset;
      if (filled == 0 && (n == longest || piece + 1 == pieces.size())) from = at;
      else if (n > 0) std::memcpy(record + filled, at, n);  // an empty piece may be a null one
      filled += n;
      offset += n;
      if (offset == pieces[piece].iov_len) { ++piece; offset = 0; }
      if (from != record) break;
    }
    if (filled == 0) continue;
    if (!write_record(from, filled)) {
      const Io io = io_of(0);
      send_gathered();  // an alert, and what was sealed before: never the next stream's
      return io;
    }
    accepted += filled;
  }
  burst_ = static_cast<std::uint32_t>(std::min<std::size_t>(burst_ + accepted, kShortBurst));
  const Io sent = send_gathered();
  return sent.kind == Io::failed ? sent : Io::of(accepted);
}

// Before the handshake is over a response to early data goes to a client that may be anybody who has the ticket.
bool TlsStream::write_record(const char* data, std::size_t size) {
  ERR_clear_error();
  const bool early = was_early_ && !SSL_is_init_finished(ssl_);
  // More than one where the client has asked for short ones (max_fragment_length).
  for (std::size_t done = 0; done < size;) {
    std::size_t n = 0;
    const int result = early ? SSL_write_early_data(ssl_, data + done, size - done, &n) : SSL_write_ex(ssl_, data + done, size - done, &n);
    if (result != 1) return false;
    done += n;
  }
  return true;
}

// 0: it depends on what was written since the last pause.
std::size_t TlsStream::fixed_record_size() {
  const std::int64_t now = Loop::current().now();
  if (now - last_write_ > kPause) burst_ = 0;
  last_write_ = now;
  return TlsState::of(SSL_get_SSL_CTX(ssl_)).record_size;
}

void TlsStream::end() {
  if (!plain_ && established_ && SSL_is_init_finished(ssl_)) {
    ERR_clear_error();
    SSL_shutdown(ssl_);
    send_gathered();
    ERR_clear_error();
  }
  socket_.shut_down_writing();
}

std::string_view TlsStream::server_name() const {
  const char* name = SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name);
  return name ? name : std::string_view{};
}

std::string_view TlsStream::alpn() const {
  const unsigned char* name;
  unsigned size;
  SSL_get0_alpn_selected(ssl_, &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

}  // namespace seawall
