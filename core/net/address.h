// Address: where a socket is or whom it talks to: IPv4, IPv6 (with scope) or a unix path. A value, cheap to copy; any
// thread. No name is resolved here (route/listen.h does at start-up, net/resolver.h at run time).
#pragma once
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "seawall/base/export.h"
#include "seawall/base/result.h"

namespace seawall {

class SEAWALL_API Address {
 public:
  Address() = default;  // none: family() is AF_UNSPEC

  // "127.0.0.1:8080", "127.0.0.1", "[::1]:80", "[fe80::1%eth0]:80", "::1", "unix:/path"; nothing for names and for
  // anything malformed. A text without a port gets `default_port`.
  static std::optional<Address> parse(std::string_view text, std::uint16_t default_port = 0);
  // A bare numeric address, without brackets and port: "127.0.0.1", "::1", "fe80::1%2".
  static std::optional<Address> parse_ip(std::string_view text, std::uint16_t port = 0);
  // Nothing when the path is empty or longer than the system takes.
  static std::optional<Address> unix_path(std::string_view path);
  static Address any_ipv4(std::uint16_t port);
  // Bytes in network order, as binary() gives them: 4 or 16; nothing for another length.
  static std::optional<Address> from_bytes(std::string_view bytes, std::uint16_t port);
  static Address from(const sockaddr* address, socklen_t size);
  // Errors: errno of getsockname and getpeername.
  static Result<Address> local_of(int fd);
  static Result<Address> peer_of(int fd);

  int family() const { return unix_ ? AF_UNIX : ip_.generic.sa_family; }
  bool empty() const { return family() == AF_UNSPEC; }
  bool is_unix() const { return unix_ != nullptr; }
  std::uint16_t port() const;  // host order; 0 for unix
  Address with_port(std::uint16_t port) const;
  bool is_wildcard() const;    // 0.0.0.0 or ::, whatever the port
  std::string path() const;    // of a unix address; empty for others and for unnamed sockets

  std::string text() const;            // as nginx's $remote_addr: "127.0.0.1", "::1", "unix:/path"; no scope
  std::string text_with_port() const;  // as in nginx's messages: "127.0.0.1:80", "[::1]:80", "unix:/path"
  std::string binary() const;          // nginx's $binary_remote_addr: 4 or 16 bytes, or text() of a unix address

  // For bind, connect and sendto; valid as long as this Address.
  const sockaddr* data() const { return unix_ ? reinterpret_cast<const sockaddr*>(&unix_->name) : &ip_.generic; }
  socklen_t size() const;

  bool operator==(const Address& other) const;
  bool same_host(const Address& other) const;  // equal but for the port
  std::size_t hash() const;

 private:
  class UnixName {
   public:
    sockaddr_un name{};
    socklen_t size = 0;
  };
  union Ip {
    sockaddr_in6 v6{};  // the largest first: it is what gets zeroed
    sockaddr_in v4;
    sockaddr generic;
  };

  Ip ip_;
  // Shared by copies and never changed: 108 bytes of path would triple the size of every connection's three addresses.
  std::shared_ptr<const UnixName> unix_;
};

}  // namespace seawall

template <>
struct std::hash<seawall::Address> {
  std::size_t operator()(const seawall::Address& address) const { return address.hash(); }
};
