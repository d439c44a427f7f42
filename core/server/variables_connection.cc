// Variables of the connection: who talks to which address, how long, and what TCP says of it. Any loop.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "seawall/net/loop.h"
#include "seawall/net/proxy_header.h"
#include "seawall/server/exchange.h"
#include "seawall/server/proxy_protocol.h"
#include "seawall/server/variables.h"

namespace seawall {
namespace {

bool append_port(const Address& address, std::string& out) {
  if (address.port() != 0) append_number(address.port(), out);
  return true;
}

bool binary_remote_addr(Exchange& x, std::string_view, const void*, std::string& out) {
  out.append(x.connection.remote.binary());
  return true;
}

bool remote_addr(Exchange& x, std::string_view, const void*, std::string& out) {
  out.append(x.connection.remote.text());
  return true;
}

bool remote_port(Exchange& x, std::string_view, const void*, std::string& out) {
  return append_port(x.connection.remote, out);
}

bool server_addr(Exchange& x, std::string_view, const void*, std::string& out) {
  out.append(x.connection.local.text());
  return true;
}

bool server_port(Exchange& x, std::string_view, const void*, std::string& out) {
  return append_port(x.connection.local, out);
}

// What the PROXY protocol header said; not found where none was taken.
template <Address Proxied::*Side>
bool proxied_addr(Exchange& x, std::string_view, const void*, std::string& out) {
  if (!x.connection.proxied) return false;
  const Address& address = (*x.connection.proxied).*Side;
  if (address.empty()) return false;
  out.append(address.text());
  return true;
}

template <Address Proxied::*Side>
bool proxied_port(Exchange& x, std::string_view, const void*, std::string& out) {
  if (!x.connection.proxied) return false;
  const Address& address = (*x.connection.proxied).*Side;
  return !address.empty() && append_port(address, out);
}

bool proxied_tlv(Exchange& x, std::string_view name, const void*, std::string& out) {
  if (!x.connection.proxied) return false;
  const auto& header = static_cast<const ProxiedHeader&>(*x.connection.proxied);
  ProxyTlv tlv = find_proxy_tlv(header.tlvs, name);
  if (tlv.state == ProxyTlv::unknown_name) x.log(Level::error, "unknown PROXY protocol TLV \"" + std::string(name) + "\"");
  if (tlv.state == ProxyTlv::broken) x.log(Level::error, "broken PROXY protocol TLV");
  if (tlv.state != ProxyTlv::found) return false;
  out += tlv.value;
  return true;
}

bool connection(Exchange& x, std::string_view, const void*, std::string& out) {
  append_number(x.connection.number, out);
  return true;
}

bool connection_requests(Exchange& x, std::string_view, const void*, std::string& out) {
  append_number(x.connection.requests, out);
  return true;
}

bool connection_time(Exchange& x, std::string_view, const void*, std::string& out) {
  append_seconds(x.loop.now() - x.connection.started, out);
  return true;
}

bool pipe(Exchange& x, std::string_view, const void*, std::string& out) {
  out.push_back(x.connection.pipelined ? 'p' : '.');
  return true;
}

template <std::uint32_t tcp_info::*Value>
bool tcpinfo(Exchange& x, std::string_view, const void*, std::string& out) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(x.connection.fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return false;
  append_number(info.*Value, out);
  return true;
}

constexpr VariableRow rows[] = {
    {"binary_remote_addr", binary_remote_addr},
    {"connection", connection},
    {"connection_requests", connection_requests},
    {"connection_time", connection_time},
    {"pipe", pipe},
    {"proxy_protocol_addr", proxied_addr<&Proxied::client>},
    {"proxy_protocol_port", proxied_port<&Proxied::client>},
    {"proxy_protocol_server_addr", proxied_addr<&Proxied::server>},
    {"proxy_protocol_server_port", proxied_port<&Proxied::server>},
    {"proxy_protocol_tlv_*", proxied_tlv},
    {"remote_addr", remote_addr},
    {"remote_port", remote_port},
    {"server_addr", server_addr},
    {"server_port", server_port},
    {"tcpinfo_rcv_space", tcpinfo<&tcp_info::tcpi_rcv_space>},
    {"tcpinfo_rtt", tcpinfo<&tcp_info::tcpi_rtt>},
    {"tcpinfo_rttvar", tcpinfo<&tcp_info::tcpi_rttvar>},
    {"tcpinfo_snd_cwnd", tcpinfo<&tcp_info::tcpi_snd_cwnd>},
};

}  // namespace

std::span<const VariableRow> connection_variables() { return rows; }

}  // namespace seawall
