// What the two load programs share: a blocking TLS or plain connection to 127.0.0.1 and one request on it. One thread.
#pragma once
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace bench {

[[noreturn]] inline void die(const char* what) {
  std::perror(what);
  ERR_print_errors_fp(stderr);
  std::exit(1);
}

inline int connect_to(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(std::uint16_t(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) die("connect");
  return fd;
}

// TLS 1.3 without a cache of sessions. The certificate is the bench's own and is not verified.
inline SSL_CTX* make_context() {
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set1_groups_list(context, "X25519");
  return context;
}

// With this session, where the server takes it; null: in full.
inline SSL* start_tls(SSL_CTX* context, int fd, SSL_SESSION* session = nullptr, std::string_view alpn = {}) {
  SSL* const ssl = SSL_new(context);
  SSL_set_tlsext_host_name(ssl, "localhost");
  SSL_set_fd(ssl, fd);
  if (session) SSL_set_session(ssl, session);
  if (!alpn.empty()) SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(alpn.data()), unsigned(alpn.size()));
  if (SSL_connect(ssl) != 1) die("TLS handshake");
  if (!session && SSL_session_reused(ssl) != 0) die("a session was resumed");
  return ssl;
}

inline long send_bytes(SSL* ssl, int fd, std::string_view bytes) {
  return ssl != nullptr ? SSL_write(ssl, bytes.data(), int(bytes.size()))
                        : ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

inline long receive(SSL* ssl, int fd, char* data, std::size_t size) {
  return ssl != nullptr ? SSL_read(ssl, data, int(size)) : ::recv(fd, data, size, 0);
}

// Sends a request, and reads nothing.
inline void send_request(SSL* ssl, int fd, std::string_view request) {
  if (send_bytes(ssl, fd, request) != long(request.size())) die("send");
}

// Reads one response with a Content-Length (that of a small file) whole; dies unless it is a 200.
inline void one_request(SSL* ssl, int fd, std::string_view request) {
  send_request(ssl, fd, request);
  char data[65536];
  std::size_t have = 0, need = 0;
  while (need == 0 || have < need) {
    const long n = have < sizeof data ? receive(ssl, fd, data + have, sizeof data - have) : -1;
    if (n <= 0) die("receive");
    have += std::size_t(n);
    const std::string_view text(data, have);
    const auto end = text.find("\r\n\r\n"), length = text.find("Content-Length: ");
    if (end == text.npos) continue;
    if (!text.starts_with("HTTP/1.1 200") || length > end) die("not a 200 with Content-Length");
    need = end + 4 + std::strtoul(data + length + 16, nullptr, 10);
  }
}

// Sends a request for an Upgrade and reads the head of its 101; dies unless it is one.
inline void open_tunnel(int fd, std::string_view request) {
  if (send_bytes(nullptr, fd, request) != long(request.size())) die("send");
  char data[4096];
  std::size_t have = 0;
  while (std::string_view(data, have).find("\r\n\r\n") == std::string_view::npos) {
    const long n = have < sizeof data ? receive(nullptr, fd, data + have, sizeof data - have) : -1;
    if (n <= 0) die("receive");
    have += std::size_t(n);
  }
  if (!std::string_view(data, have).starts_with("HTTP/1.1 101")) die("not a 101");
}

}  // namespace bench
