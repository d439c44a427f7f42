// ngx.socket.udp. One loop.
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "lua.h"
#include "seawall/log/log.h"
#include "seawall/server/exchange.h"
#include "tcp.h"

namespace seawall::lua {
namespace {

constexpr const char* kType = "seawall udp socket";
constexpr std::size_t kLargest = 8192;  // of a datagram that is taken, as in OpenResty

class UdpSocket final : public ScriptSocket, public std::enable_shared_from_this<UdpSocket> {
 public:
  void abandon() override { socket.reset(); }
  std::unique_ptr<Socket> socket;  // null: no peer
  std::int64_t timeout = -1;
  bool busy = false;        // somebody connects or receives
  bool connecting = false;
};
using UdpPtr = std::shared_ptr<UdpSocket>;

UdpSocket& udp_at(lua_State* L, int index, int level = 2) {
  UdpSocket& udp = **static_cast<UdpPtr*>(luaL_checkudata(L, index, kType));
  check_owner(L, udp, level);
  return udp;
}

int make(lua_State* L) {
  check_call(L, kSocket, 2);
  const UdpPtr& udp = push_object(L, kType, std::make_shared<UdpSocket>());
  if (Script* const script = Vm::now()->call->script) script->remember(udp);
  return 1;
}

class PeerAwait final : public Await {
 public:
  PeerAwait(Call& call, UdpSocket& udp, std::string host, int port)
      : loop_(call.script->vm.loop), settings_(*call.settings), udp_(udp), keep_(udp.shared_from_this()), host_(std::move(host)), port_(port) {}
  Task<void> run() override {
    udp_.busy = udp_.connecting = true;
    const Address to = co_await find_address(settings_, loop_, host_, static_cast<std::uint16_t>(port_), error_);
    if (error_.empty()) connect(to);
    udp_.busy = udp_.connecting = false;
  }
  int push(lua_State* L) override {
    if (!error_.empty()) return push_error(L, error_);
    lua_pushinteger(L, 1);
    return 1;
  }

 private:
  void connect(const Address& to) {
    Fd fd(::socket(to.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (fd && to.is_unix()) {
      // An answer needs an address to go to: one that the kernel makes up.
      const sa_family_t family = AF_UNIX;
      sockaddr own{};
      own.sa_family = family;
      if (::bind(fd.get(), &own, sizeof family) != 0) fd.reset();
    }
    if (!fd || ::connect(fd.get(), to.data(), to.size()) != 0) error_ = socket_error(system_error_code(errno));
    else udp_.socket = std::make_unique<Socket>(std::move(fd));
  }
  Loop& loop_;
  const Settings& settings_;
  UdpSocket& udp_;
  const UdpPtr keep_;
  const std::string host_;
  const int port_;
  std::string error_;
};

// setpeername(socket, host, port or nil)
int setpeername(lua_State* L) {
  Call& call = check_call(L, kSocket, 3);
  UdpSocket& udp = udp_at(L, 1, 3);
  if (udp.busy) return push_error(L, "socket busy");
  udp.socket.reset();
  if (!udp.script) call.script->remember(udp.shared_from_this());
  return wait_for(L, std::make_unique<PeerAwait>(call, udp, std::string(text_at(L, 2)), static_cast<int>(lua_tointeger(L, 3))));
}

int send(lua_State* L) {
  Call& call = check_call(L, kSocket, 2);
  UdpSocket& udp = udp_at(L, 1);
  if (udp.connecting) return push_error(L, "socket busy");
  if (!udp.socket) {
    log_socket_error(call, "attempt to send data on a closed socket");
    return push_error(L, "closed");
  }
  std::string text;
  append_value(L, 2, text, "send");
  if (::send(udp.socket->fd(), text.data(), text.size(), MSG_NOSIGNAL) < 0) return push_error(L, socket_error(system_error_code(errno)));
  lua_pushinteger(L, 1);
  return 1;
}

class DatagramAwait final : public Await {
 public:
  DatagramAwait(Call& call, UdpSocket& udp, std::size_t most) : conf_(conf_of(call)), x_(call.x), udp_(udp), keep_(udp.shared_from_this()), most_(most) {}
  Task<void> run() override {
    udp_.busy = true;
    data_.resize(most_);
    const Deadline deadline = wait_deadline(udp_.timeout, *conf_.read_timeout, Wait::upstream_read);
    for (;;) {
      const ssize_t n = ::recv(udp_.socket->fd(), data_.data(), data_.size(), MSG_DONTWAIT);
      if (n >= 0) {
        data_.resize(static_cast<std::size_t>(n));
        break;
      }
      if (errno != EAGAIN) {
        error_ = socket_error(system_error_code(errno));
        break;
      }
      udp_.socket->not_yet();
      const Errc waited = co_await udp_.socket->wait(Socket::reading, deadline);
      if (waited == Errc::ok) continue;
      error_ = socket_error(make_error_code(waited));
      if (waited == Errc::timed_out && *conf_.log_socket_errors && x_) x_->log(Level::error, "lua udp socket read timed out");
      break;
    }
    udp_.busy = false;
  }
  int push(lua_State* L) override {
    if (!error_.empty()) return push_error(L, error_);
    lua::push(L, data_);
    return 1;
  }

 private:
  const Conf& conf_;
  Exchange* const x_;
  UdpSocket& udp_;
  const UdpPtr keep_;
  const std::size_t most_;
  std::string data_, error_;
};

// receive(socket, most or nil)
int receive(lua_State* L) {
  Call& call = check_call(L, kSocket, 3);
  UdpSocket& udp = udp_at(L, 1, 3);
  if (udp.connecting) return push_error(L, "socket busy");
  if (!udp.socket) {
    log_socket_error(call, "attempt to receive data on a closed socket");
    return push_error(L, "closed");
  }
  if (udp.busy) return push_error(L, "socket busy");
  const std::size_t most = lua_isnoneornil(L, 2) ? kLargest : std::min(whole_size(lua_tonumber(L, 2)), kLargest);
  return wait_for(L, std::make_unique<DatagramAwait>(call, udp, most));
}

int close(lua_State* L) {
  UdpSocket& udp = udp_at(L, 1);
  if (!udp.socket) return push_error(L, "closed");
  if (udp.busy) return push_error(L, "socket busy");
  udp.socket.reset();
  lua_pushinteger(L, 1);
  return 1;
}

int settimeout(lua_State* L) {
  udp_at(L, 1).timeout = whole_number(lua_tonumber(L, 2));
  return 0;
}

constexpr luaL_Reg kUdp[] = {{"udp_new", make}, {"udp_setpeername", setpeername}, {"udp_send", send}, {"udp_receive", receive},
                             {"udp_close", close}, {"udp_settimeout", settimeout}};

}  // namespace

std::span<const luaL_Reg> udp_api() { return kUdp; }

}  // namespace seawall::lua
