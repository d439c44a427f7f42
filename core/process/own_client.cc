#include "seawall/process/own_client.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "seawall/tls/context.h"

namespace seawall {
namespace {

constexpr time_t kPatience = 10;  // seconds

// A client that takes whatever a server may be set to.
std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> client_of(const Vhost& vhost) {
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> client(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  if (!client) return client;
  SSL_CTX_set_min_proto_version(client.get(), TLS1_VERSION);
  SSL_CTX_set_cipher_list(client.get(), "ALL:@SECLEVEL=0");
  const std::string& groups = vhost.tls ? vhost.tls->settings().groups : "auto";
  if (groups != "auto") SSL_CTX_set1_groups_list(client.get(), groups.c_str());
  return client;
}

}  // namespace

OwnClient::OwnClient() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw std::system_error(errno, std::generic_category(), "socketpair()");
  own_.reset(ends[0]);
  server_end_.reset(ends[1]);
  ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
  const timeval patience{kPatience, 0};
  ::setsockopt(own_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(own_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

std::string OwnClient::begin(const Endpoint& endpoint, const Vhost& vhost, const std::string& name) {
  if (endpoint.options.proxy_protocol && !send("PROXY UNKNOWN\r\n")) return std::string("send() failed (") + std::strerror(errno) + ")";
  if (!endpoint.options.ssl) return {};
  context_ = client_of(vhost);
  ssl_.reset(context_ ? SSL_new(context_.get()) : nullptr);
  if (!ssl_ || SSL_set_fd(ssl_.get(), own_.get()) != 1) return "no TLS client can be made";
  if (!name.empty()) SSL_set_tlsext_host_name(ssl_.get(), name.c_str());
  return SSL_connect(ssl_.get()) == 1 ? std::string() : "the TLS handshake fails";
}

bool OwnClient::send(std::string_view text) {
  if (ssl_) return SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())) == static_cast<int>(text.size());
  return ::send(own_.get(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

OwnClient::Read OwnClient::read(std::string& into) {
  char part[4096];
  errno = 0;
  const auto n = ssl_ ? SSL_read(ssl_.get(), part, sizeof part) : ::recv(own_.get(), part, sizeof part, 0);
  if (n <= 0) return errno == EAGAIN || errno == EWOULDBLOCK ? Read::late : Read::end;
  into.append(part, static_cast<std::size_t>(n));
  return Read::some;
}

}  // namespace seawall
