#include "seawall/tls/tls_stream.h"

#include <openssl/err.h>

#include <algorithm>
#include <cstring>
#include <new>

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

}  // namespace

// What OpenSSL reads from and writes to.
struct TlsBio {
  static int write(BIO*, const char* data, int size) {
    gathered.append(data, static_cast<std::size_t>(size));
    return size;
  }
  static int read(BIO* bio, char* data, int size) {
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
  static long ctrl(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static BIO_METHOD* method() {
    static BIO_METHOD* const made = [] {
      BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "seawall socket");
      BIO_meth_set_write(m, write);
      BIO_meth_set_read(m, read);
      BIO_meth_set_ctrl(m, ctrl);
      return m;
    }();
    return made;
  }
};

int TlsStream::index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

TlsStream::TlsStream(Fd fd, const TlsContext& context, SniSelector& selector)
    : Stream(std::move(fd)), ssl_(SSL_new(context.current().get())), selector_(&selector) {
  BIO* const bio = ssl_ ? BIO_new(TlsBio::method()) : nullptr;
  if (!bio) {
    SSL_free(ssl_);
    throw std::bad_alloc();
  }
  SSL_set_ex_data(ssl_, index(), this);
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
