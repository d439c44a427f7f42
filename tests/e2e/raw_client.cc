// See raw_client.h.
#include "e2e/raw_client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <poll.h>
#include <strings.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "e2e/agreement.h"

namespace test {
namespace {

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

socklen_t fill_address(sockaddr_storage& storage, int port, const std::string& text) {
  auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
  auto* local = reinterpret_cast<sockaddr_un*>(&storage);
  if (text.starts_with('/')) {
    local->sun_family = AF_UNIX;
    text.copy(local->sun_path, sizeof local->sun_path - 1);
    return sizeof *local;
  }
  if (::inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(std::uint16_t(port));
    return sizeof *v6;
  }
  ::inet_pton(AF_INET, text.c_str(), &v4->sin_addr);
  v4->sin_family = AF_INET;
  v4->sin_port = htons(std::uint16_t(port));
  return sizeof *v4;
}

void use_certificate(SSL* ssl, const TlsOptions& options) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> certificate(BIO_new_mem_buf(options.certificate.data(), -1), BIO_free),
      key(BIO_new_mem_buf(options.key.data(), -1), BIO_free);
  const std::unique_ptr<X509, decltype(&X509_free)> x(PEM_read_bio_X509(certificate.get(), nullptr, nullptr, nullptr), X509_free);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> secret(
      PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  SSL_use_certificate(ssl, x.get());
  SSL_use_PrivateKey(ssl, secret.get());
}

}  // namespace

Response::Response(std::string_view head_text) : head(head_text) {
  if (head.size() > 12) status = std::atoi(head.c_str() + head.find(' '));
  std::size_t line = head.find("\r\n");
  while (line != std::string::npos && line + 2 < head.size()) {
    const auto begin = line + 2, end = head.find("\r\n", begin), colon = head.find(':', begin);
    line = end;
    if (colon == std::string::npos || colon >= end) continue;
    const auto value = head.find_first_not_of(" \t", colon + 1);
    headers.emplace_back(head.substr(begin, colon - begin), value >= end ? "" : head.substr(value, end - value));
  }
}

std::string Response::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (same_name(key, name)) return value;
  }
  return "";
}

int Response::count(std::string_view name) const {
  int n = 0;
  for (const auto& header : headers) n += same_name(header.first, name);
  return n;
}

RawClient::RawClient(int port, const std::string& address, int receive_buffer) {
  sockaddr_storage storage{};
  const socklen_t size = fill_address(storage, port, address);
  fd_.reset(::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (receive_buffer > 0) ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  if (::connect(fd_.get(), reinterpret_cast<sockaddr*>(&storage), size) != 0) {
    throw std::runtime_error("connect to " + address + ":" + std::to_string(port) + ": " + std::strerror(errno));
  }
  if (Agreement::is_asked()) Agreement::begin(fd_.get());
}

void RawClient::wait(short events, Clock::time_point deadline) {
  pollfd poll{fd_.get(), events, 0};
  if (::poll(&poll, 1, left_until(deadline)) == 0) throw std::runtime_error("nothing more came; so far: " + pending_);
}

// What an SSL_* call answered: 1 done, 0 the end, -1 call again (it has waited).
int RawClient::settle(int result, Clock::time_point deadline) {
  if (result > 0) return 1;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ: wait(POLLIN, deadline); return -1;
    case SSL_ERROR_WANT_WRITE: wait(POLLOUT, deadline); return -1;
    case SSL_ERROR_SYSCALL: reset_ = errno == ECONNRESET; return 0;
    default: return 0;
  }
}

void RawClient::start_tls(const TlsOptions& options) {
  // One a thread: to make it costs more than a handshake, and all that options say is the connection's own.
  thread_local const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  // A cache would take sessions of TLS 1.3 away after their first use.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  ssl_.reset(SSL_new(context.get()));
  SSL* const ssl = ssl_.get();
  SSL_set_security_level(ssl, 0);  // a test may offer what is forbidden
  SSL_set_min_proto_version(ssl, options.min_version);
  SSL_set_max_proto_version(ssl, options.max_version);
  if (!options.server_name.empty()) SSL_set_tlsext_host_name(ssl, options.server_name.c_str());
  const auto* alpn = reinterpret_cast<const unsigned char*>(options.alpn.data());
  if (!options.alpn.empty()) SSL_set_alpn_protos(ssl, alpn, unsigned(options.alpn.size()));
  if (!options.ciphers.empty()) SSL_set_cipher_list(ssl, options.ciphers.c_str());
  if (!options.groups.empty()) SSL_set1_groups_list(ssl, options.groups.c_str());
  if (!options.sigalgs.empty()) SSL_set1_sigalgs_list(ssl, options.sigalgs.c_str());
  if (options.session) SSL_set_session(ssl, options.session.get());
  if (!options.certificate.empty()) use_certificate(ssl, options);
  if (options.max_fragment) SSL_set_tlsext_max_fragment_length(ssl, static_cast<std::uint8_t>(options.max_fragment));
  if (options.ask_status) SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp);
  ::fcntl(fd_.get(), F_SETFL, O_NONBLOCK);
  SSL_set_fd(ssl, fd_.get());
  const auto deadline = Clock::now() + kPatience;
  ERR_clear_error();
  int state = -1;
  std::size_t sent = 0;
  const std::string& early = options.early_data;
  while (!early.empty() && state < 0) state = settle(SSL_write_early_data(ssl, early.data(), early.size(), &sent), deadline);
  state = -1;
  while (state < 0) state = settle(SSL_connect(ssl), deadline);
  if (state == 1) return;
  const char* reason = ERR_reason_error_string(ERR_peek_error());
  throw std::runtime_error(std::string("TLS handshake: ") + (reason != nullptr ? reason : "closed"));
}

std::string RawClient::staple() const {
  const unsigned char* response = nullptr;
  const long size = SSL_get_tlsext_status_ocsp_resp(ssl_.get(), &response);
  return size > 0 ? std::string(reinterpret_cast<const char*>(response), std::size_t(size)) : std::string();
}

void RawClient::send(std::string_view bytes) {
  if (Agreement::is_asked() && !ssl_) Agreement::sent(fd_.get(), bytes);
  const auto deadline = Clock::now() + kPatience;
  while (!bytes.empty()) {
    std::size_t sent = 0;
    if (ssl_) {
      const int state = settle(SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &sent), deadline);
      if (state == 0) throw std::runtime_error("send: the connection has ended");
    } else {
      wait(POLLOUT, deadline);
      const auto n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n < 0 && errno != EAGAIN) throw std::runtime_error(std::string("send: ") + std::strerror(errno));
      sent = n > 0 ? std::size_t(n) : 0;
    }
    bytes.remove_prefix(sent);
  }
}

bool RawClient::fill(Clock::time_point deadline) {
  char data[65536];
  std::size_t size = 0;
  if (ssl_) {
    int state = -1;
    while (state < 0) state = settle(SSL_read_ex(ssl_.get(), data, sizeof data, &size), deadline);
  } else {
    wait(POLLIN, deadline);
    const auto n = ::recv(fd_.get(), data, sizeof data, MSG_DONTWAIT);
    reset_ = n < 0 && errno == ECONNRESET;
    size = n > 0 ? std::size_t(n) : 0;
  }
  pending_.append(data, size);
  ended_ = size == 0;
  return !ended_;
}

std::string RawClient::take(std::size_t size) {
  std::string taken = pending_.substr(0, size);
  pending_.erase(0, size);
  return taken;
}

std::string RawClient::read(std::size_t size, Clock::duration within) {
  const auto deadline = Clock::now() + within;
  while (pending_.size() < size) {
    if (!fill(deadline)) throw std::runtime_error("the connection ended after: " + pending_);
  }
  return take(size);
}

std::string RawClient::read_until(std::string_view token, Clock::duration within) {
  const auto deadline = Clock::now() + within;
  while (pending_.find(token) == std::string::npos) {
    if (!fill(deadline)) throw std::runtime_error("the connection ended after: " + pending_);
  }
  return take(pending_.find(token) + token.size());
}

std::string RawClient::read_all(Clock::duration within) {
  const auto deadline = Clock::now() + within;
  while (!ended_) fill(deadline);
  return take(pending_.size());
}

std::string RawClient::read_chunked(Clock::time_point deadline) {
  std::string body;
  for (std::size_t size = 1; size > 0;) {
    size = std::stoul(read_until("\r\n", deadline - Clock::now()), nullptr, 16);
    body += read(size, deadline - Clock::now());
    if (size > 0) read(2, deadline - Clock::now());
  }
  while (read_until("\r\n", deadline - Clock::now()) != "\r\n") {  // trailers
  }
  return body;
}

Response RawClient::read_response(bool to_head, Clock::duration within) {
  const auto deadline = Clock::now() + within;
  Response response(read_until("\r\n\r\n", within));
  const int status = response.status;
  if (Agreement::is_asked() && !ssl_) Agreement::answered(fd_.get(), response);
  if (to_head || status / 100 == 1 || status == 204 || status == 304) return response;
  if (same_name(response.header("transfer-encoding"), "chunked")) {
    response.body = read_chunked(deadline);
  } else if (response.count("content-length") > 0) {
    response.body = read(std::stoul(response.header("content-length")), deadline - Clock::now());
  } else {
    response.body = read_all(deadline - Clock::now());
  }
  return response;
}

bool RawClient::expect_close(Clock::duration within) {
  const auto deadline = Clock::now() + within;
  try {
    while (!ended_) fill(deadline);
  } catch (const std::runtime_error&) {
    return false;  // time is over
  }
  return true;
}

void RawClient::half_close() {
  if (ssl_) SSL_shutdown(ssl_.get());
  ::shutdown(fd_.get(), SHUT_WR);
}

void RawClient::reset() {
  const linger none{1, 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &none, sizeof none);
  fd_.reset();
}

}  // namespace test
