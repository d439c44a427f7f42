#include "seawall/net/address.h"

#include <arpa/inet.h>
#include <net/if.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "seawall/base/text.h"

namespace seawall {
namespace {

constexpr std::size_t kPathOffset = offsetof(sockaddr_un, sun_path);

std::optional<std::uint16_t> parse_port(std::string_view text) {
  const auto port = parse_decimal(text);
  if (!port || *port < 1 || *port > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*port);
}

// The number of an interface given by name or number (RFC 4007 11.2); 0: there is none.
std::uint32_t scope_of(std::string_view text) {
  if (const auto number = parse_decimal(text)) return *number <= UINT32_MAX ? static_cast<std::uint32_t>(*number) : 0;
  return text.size() < IF_NAMESIZE ? if_nametoindex(std::string(text).c_str()) : 0;
}

// The path in a unix name; empty for unnamed and abstract ones, as nginx has it.
std::string_view path_in(const sockaddr_un& name, socklen_t size) {
  if (size <= kPathOffset) return {};
  const std::size_t room = std::min<std::size_t>(size - kPathOffset, sizeof name.sun_path);
  return {name.sun_path, ::strnlen(name.sun_path, room)};
}

Result<Address> ask(int (*get)(int, sockaddr*, socklen_t*), int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  if (get(fd, address, &size) != 0) return system_error_code(errno);
  return Address::from(address, size);
}

}  // namespace

std::optional<Address> Address::parse(std::string_view text, std::uint16_t default_port) {
  if (text.size() >= 5 && equals_ignoring_case(text.substr(0, 5), "unix:")) return unix_path(text.substr(5));
  if (auto bare = parse_ip(text, default_port)) return bare;
  std::string_view host = text, port;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    host = text.substr(1, close - 1);
    port = text.substr(close + 1);
    if (host.find(':') == std::string_view::npos) return std::nullopt;
    if (port.empty()) return parse_ip(host, default_port);
    if (port.front() != ':') return std::nullopt;
    port.remove_prefix(1);
  } else {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  const auto number = parse_port(port);
  return number ? parse_ip(host, *number) : std::nullopt;
}

std::optional<Address> Address::parse_ip(std::string_view text, std::uint16_t port) {
  Address a;
  const auto percent = text.find('%');
  const std::string host(text.substr(0, percent));
  if (host.size() != std::min(percent, text.size()) || host.find('\0') != std::string::npos) return std::nullopt;
  if (percent == std::string_view::npos && inet_pton(AF_INET, host.c_str(), &a.ip_.v4.sin_addr) == 1) {
    a.ip_.v4.sin_family = AF_INET;
    a.ip_.v4.sin_port = htons(port);
    return a;
  }
  in6_addr bytes;
  if (inet_pton(AF_INET6, host.c_str(), &bytes) != 1) return std::nullopt;
  a.ip_.v6 = {};
  a.ip_.v6.sin6_family = AF_INET6;
  a.ip_.v6.sin6_addr = bytes;
  a.ip_.v6.sin6_port = htons(port);
  if (percent == std::string_view::npos) return a;
  a.ip_.v6.sin6_scope_id = scope_of(text.substr(percent + 1));
  return a.ip_.v6.sin6_scope_id != 0 ? std::optional(a) : std::nullopt;
}

std::optional<Address> Address::unix_path(std::string_view path) {
  auto name = std::make_shared<UnixName>();
  if (path.empty() || path.size() >= sizeof name->name.sun_path) return std::nullopt;
  name->name.sun_family = AF_UNIX;
  path.copy(name->name.sun_path, path.size());
  name->size = static_cast<socklen_t>(kPathOffset + path.size() + 1);
  Address a;
  a.unix_ = std::move(name);
  return a;
}

Address Address::any_ipv4(std::uint16_t port) {
  Address a;
  a.ip_.v4.sin_family = AF_INET;
  a.ip_.v4.sin_port = htons(port);
  return a;
}

std::optional<Address> Address::from_bytes(std::string_view bytes, std::uint16_t port) {
  Address a;
  if (bytes.size() == 4) {
    a.ip_.v4.sin_family = AF_INET;
    a.ip_.v4.sin_port = htons(port);
    std::memcpy(&a.ip_.v4.sin_addr, bytes.data(), 4);
  } else if (bytes.size() == 16) {
    a.ip_.v6.sin6_family = AF_INET6;
    a.ip_.v6.sin6_port = htons(port);
    std::memcpy(&a.ip_.v6.sin6_addr, bytes.data(), 16);
  } else {
    return std::nullopt;
  }
  return a;
}

Address Address::from(const sockaddr* address, socklen_t size) {
  Address a;
  if (size < sizeof(sa_family_t)) return a;
  if (address->sa_family == AF_UNIX) {
    auto name = std::make_shared<UnixName>();
    name->size = std::min<socklen_t>(size, sizeof name->name);
    std::memcpy(&name->name, address, name->size);
    a.unix_ = std::move(name);
  } else if (address->sa_family == AF_INET && size >= sizeof(sockaddr_in)) {
    std::memcpy(&a.ip_.v4, address, sizeof(sockaddr_in));
  } else if (address->sa_family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
    std::memcpy(&a.ip_.v6, address, sizeof(sockaddr_in6));
  }
  return a;
}

Result<Address> Address::local_of(int fd) { return ask(::getsockname, fd); }
Result<Address> Address::peer_of(int fd) { return ask(::getpeername, fd); }

std::uint16_t Address::port() const {
  if (family() == AF_INET) return ntohs(ip_.v4.sin_port);
  return family() == AF_INET6 ? ntohs(ip_.v6.sin6_port) : 0;
}

Address Address::with_port(std::uint16_t port) const {
  Address a = *this;
  if (family() == AF_INET) a.ip_.v4.sin_port = htons(port);
  if (family() == AF_INET6) a.ip_.v6.sin6_port = htons(port);
  return a;
}

bool Address::is_wildcard() const {
  if (family() == AF_INET) return ip_.v4.sin_addr.s_addr == INADDR_ANY;
  return family() == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&ip_.v6.sin6_addr);
}

std::string Address::path() const { return unix_ ? std::string(path_in(unix_->name, unix_->size)) : std::string(); }

std::string Address::text() const {
  char buffer[INET6_ADDRSTRLEN];
  if (family() == AF_INET) return inet_ntop(AF_INET, &ip_.v4.sin_addr, buffer, sizeof buffer);
  if (family() == AF_INET6) return inet_ntop(AF_INET6, &ip_.v6.sin6_addr, buffer, sizeof buffer);
  return unix_ ? "unix:" + path() : std::string();
}

std::string Address::text_with_port() const {
  if (family() == AF_INET) return text() + ":" + std::to_string(port());
  return family() == AF_INET6 ? "[" + text() + "]:" + std::to_string(port()) : text();
}

std::string Address::binary() const {
  if (family() == AF_INET) return {reinterpret_cast<const char*>(&ip_.v4.sin_addr), 4};
  return family() == AF_INET6 ? std::string(reinterpret_cast<const char*>(&ip_.v6.sin6_addr), 16) : text();
}

socklen_t Address::size() const {
  if (unix_) return unix_->size;
  if (family() == AF_INET) return sizeof(sockaddr_in);
  return family() == AF_INET6 ? sizeof(sockaddr_in6) : 0;
}

// Not memcmp of the whole: the kernel fills fields that say nothing about the place (flow labels, padding).
bool Address::same_host(const Address& other) const {
  if (family() != other.family()) return false;
  if (unix_) return unix_->size == other.unix_->size && std::memcmp(&unix_->name, &other.unix_->name, unix_->size) == 0;
  if (family() == AF_INET) return ip_.v4.sin_addr.s_addr == other.ip_.v4.sin_addr.s_addr;
  return family() != AF_INET6 || (IN6_ARE_ADDR_EQUAL(&ip_.v6.sin6_addr, &other.ip_.v6.sin6_addr) &&
                                  ip_.v6.sin6_scope_id == other.ip_.v6.sin6_scope_id);
}

bool Address::operator==(const Address& other) const { return port() == other.port() && same_host(other); }

std::size_t Address::hash() const {
  return std::hash<std::string_view>{}(binary()) ^ (std::size_t{port()} * 0x9E3779B97F4A7C15u);
}

}  // namespace seawall
