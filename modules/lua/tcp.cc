// ngx.socket.tcp: connect, send, close, setkeepalive and what is set. One loop.
#include "tcp.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include "lua.h"
#include "seawall/log/log.h"
#include "seawall/net/dial.h"
#include "seawall/server/exchange.h"
#include "seawall/upstream/resolver_module.h"

namespace seawall::lua {
namespace {

constexpr const char* kType = "seawall tcp socket";
using TcpPtr = std::shared_ptr<TcpSocket>;

class ConnectAwait final : public Await {
 public:
  // `turn`: to be waited for first, or null.
  ConnectAwait(Call& call, TcpSocket& socket, std::string host, int port, std::unique_ptr<Turn> turn)
      : vm_(call.script->vm), settings_(*call.settings), conf_(conf_of(call)), x_(call.x), socket_(socket), keep_(socket.shared_from_this()),
        host_(std::move(host)), port_(port), turn_(std::move(turn)) {}
  Task<void> run() override {
    socket_.connecting = true;
    if (turn_) co_await wait_for_turn();
    if (error_.empty() && !socket_.stream) co_await make_connection();
    socket_.connecting = false;
    if (!socket_.stream) socket_.place.leave();
  }
  void give_up() override {
    if (turn_) turn_->leave();
  }
  int push(lua_State* L) override {
    if (!error_.empty()) return push_error(L, error_);
    lua_pushinteger(L, 1);
    return 1;
  }

 private:
  Task<void> wait_for_turn() {
    const Errc waited = co_await turn_->wait(wait_deadline(socket_.connect_timeout, *conf_.connect_timeout, Wait::connect));
    if (waited == Errc::ok) {
      socket_.adopt(std::move(turn_->kept));
    } else {
      error_ = socket_error(waited);
      if (waited == Errc::timed_out)
        complain("lua tcp socket queued connect timed out, when trying to connect to " + host_ + ":" + std::to_string(port_));
    }
    turn_.reset();
  }

  Task<void> make_connection() {
    const Address to = co_await find_address(settings_, vm_.loop, host_, static_cast<std::uint16_t>(port_), error_);
    if ((co_await current_scope()).cancelled()) co_return log_debug(x_, [] { return "lua tcp socket abort resolver"; });
    if (error_.empty()) co_await connect(to);
  }

  Task<void> connect(const Address& to) {
    const Deadline deadline = wait_deadline(socket_.connect_timeout, *conf_.connect_timeout, Wait::connect);
    say_timeout(x_, "connect", socket_.connect_timeout, *conf_.connect_timeout);
    DialOptions options;
    if (const auto from = Address::parse_ip(socket_.from)) options.from = *from;
    Result<Fd> fd = start_connecting(to, options);
    if (!fd) co_return refused_at_once(fd.error());
    auto stream = std::make_unique<Stream>(std::move(*fd));
    const Result<void> done = co_await connected(*stream, deadline);
    if (done) {
      socket_.stream = std::move(stream);
      socket_.read_closed = socket_.write_closed = false;
      socket_.reused = 0;
      co_return;
    }
    error_ = socket_error(done.error());
    if (done.error() == Errc::cancelled) co_return;  // its script wants it no more
    complain(done.error() == Errc::timed_out ? "lua tcp socket connect timed out, when connecting to " + to.text_with_port()
                                             : "connect() failed " + describe(done.error()));
  }

  // By this machine: bind() or connect() itself has failed.
  void refused_at_once(std::error_code error) {
    error_ = socket_error(error);
    const bool unbound = !socket_.from.empty() && error == std::errc::address_not_available;
    const std::string what = unbound ? "bind(" + socket_.from + ") failed " : "connect() to " + host_ + " failed ";
    complain(what + describe(error), error == std::errc::connection_refused ? Level::error : Level::crit);
  }

  void complain(const std::string& text, Level level = Level::error) {
    if (!*conf_.log_socket_errors) return;
    if (x_) x_->log(level, text);
    else log(level, text + ", context: ngx.timer");
  }

  Vm& vm_;
  const Settings& settings_;
  const Conf& conf_;
  Exchange* const x_;
  TcpSocket& socket_;
  const std::shared_ptr<TcpSocket> keep_;
  const std::string host_;
  const int port_;
  std::unique_ptr<Turn> turn_;
  std::string error_;
};

// What connect() needs of a bounded pool: a place, or a turn in the queue. False: the queue is full, too.
bool enter(Call& call, Pool& pool, TcpSocket& socket, std::unique_ptr<Turn>& turn) {
  if (pool.has_room()) {
    socket.place = Place(pool.shared_from_this());
    return true;
  }
  if (!pool.may_wait()) return false;
  log_debug(call.x, [&] { return "lua tcp socket queue connect operation for connection pool \"" + socket.pool + "\""; });
  turn = std::make_unique<Turn>(pool.shared_from_this());
  return true;
}

// connect(socket, host, port or nil, pool, pool_size, backlog or nil)
int connect(lua_State* L) {
  Call& call = check_call(L, kSocket, 3);
  TcpSocket& socket = tcp_at(L, 1, 3);
  if (socket.of_request) return raise(L, 3, "attempt to re-connect a request socket");
  if (socket.connecting) return push_error(L, "socket busy connecting");
  if (socket.reading) return push_error(L, "socket busy reading");
  if (socket.writing) return push_error(L, "socket busy writing");
  if (socket.stream) {
    log_debug(call.x, [] { return "lua reuse socket upstream ctx"; });
    log_debug(call.x, [] { return "lua tcp socket reconnect without shutting down"; });
  }
  socket.close();
  if (!socket.script) call.script->remember(socket.shared_from_this());
  socket.host = text_at(L, 2);
  socket.pool = text_at(L, 4);
  socket.pool_size = whole_number(lua_tonumber(L, 5));
  Pools& pools = *Vm::now()->pools;
  Kept kept = pools.take(socket.pool);
  if (kept.stream) {
    log_debug(call.x, [&] {
      return "lua tcp socket get keepalive peer: using connection " + std::to_string(kept.stream->socket().fd());
    });
    socket.adopt(std::move(kept));
    lua_pushinteger(L, 1);
    return 1;
  }
  const std::int64_t size = socket.pool_size ? socket.pool_size : *conf_of(call).pool_size;
  const std::int64_t backlog = lua_isnoneornil(L, 6) ? -1 : whole_number(lua_tonumber(L, 6));
  std::unique_ptr<Turn> turn;
  const std::shared_ptr<Pool> pool = pools.bounded(socket.pool, size, backlog);
  if (pool && !enter(call, *pool, socket, turn)) return push_error(L, "too many waiting connect operations");
  return wait_for(L, std::make_unique<ConnectAwait>(call, socket, socket.host, static_cast<int>(lua_tointeger(L, 3)), std::move(turn)));
}

class SendAwait final : public Await {
 public:
  SendAwait(Call& call, TcpSocket& socket, std::string text)
      : conf_(conf_of(call)), x_(call.x), socket_(socket), keep_(socket.shared_from_this()), text_(std::move(text)) {}
  Task<void> run() override {
    socket_.writing = true;
    Milliseconds gap = *conf_.send_timeout;
    if (socket_.send_timeout >= 0) gap = Milliseconds(socket_.send_timeout);
    say_timeout(x_, "send", socket_.send_timeout, gap);
    const Result<void> done = co_await write_all(*socket_.connection(), text_, gap, Wait::upstream_send);
    socket_.writing = false;
    if (!done && done.error() != Errc::timed_out && done.error() != Errc::cancelled) socket_.write_closed = true;
    socket_.settle();
    if (done && socket_.borrowed && x_) {
      x_->bytes_sent += text_.size();
      x_->body_bytes_sent += text_.size();
    }
    if (done) co_return;
    error_ = socket_error(done.error());
    if (error_ == "timeout" && *conf_.log_socket_errors && x_) x_->log(Level::error, "lua tcp socket write timed out");
    if (error_ == "broken pipe" || error_ == "connection reset by peer") {
      if (*conf_.log_socket_errors && x_) x_->log(Level::error, "send() failed " + describe(done.error()));
      error_ = error_ == "broken pipe" ? "broken pipe" : "connection reset by peer";
    }
  }
  int push(lua_State* L) override {
    if (!error_.empty()) return push_error(L, error_);
    lua_pushnumber(L, static_cast<double>(text_.size()));
    return 1;
  }

 private:
  const Conf& conf_;
  Exchange* const x_;
  TcpSocket& socket_;
  const std::shared_ptr<TcpSocket> keep_;
  const std::string text_;
  std::string error_;
};

// send(socket, value)
int send(lua_State* L) {
  Call& call = check_call(L, kSocket, 3);
  TcpSocket& socket = tcp_at(L, 1, 3);
  if (socket.reads_body) return raise(L, 3, "attempt to write to request sockets");
  if (!socket.connection() || socket.write_closed) {
    log_closed(call, socket, "attempt to send data on a closed socket");
    return push_error(L, "closed");
  }
  if (socket.connecting) return push_error(L, "socket busy connecting");
  if (socket.writing) return push_error(L, "socket busy writing");
  std::string text;
  append_sent(L, 2, text);
  if (text.empty()) {
    lua_pushinteger(L, 0);
    return 1;
  }
  return wait_for(L, std::make_unique<SendAwait>(call, socket, std::move(text)));
}

int close(lua_State* L) {
  TcpSocket& socket = tcp_at(L, 1);
  if (socket.of_request) return raise(L, 2, "attempt to close a request socket");
  if (!socket.connection()) return push_error(L, "closed");
  if (socket.connecting) return push_error(L, "socket busy connecting");
  if (socket.reading) return push_error(L, "socket busy reading");
  if (socket.writing) return push_error(L, "socket busy writing");
  socket.close();
  lua_pushinteger(L, 1);
  return 1;
}

// setkeepalive(socket, ms or nil, size or nil)
int setkeepalive(lua_State* L) {
  Call& call = check_call(L, kSocket, 2);
  TcpSocket& socket = tcp_at(L, 1);
  if (!socket.stream || socket.read_closed || socket.write_closed) {
    log_closed(call, socket, "attempt to set keepalive on a closed socket");
    return push_error(L, "closed");
  }
  if (socket.connecting) return push_error(L, "socket busy connecting");
  if (socket.reading) return push_error(L, "socket busy reading");
  if (socket.writing) return push_error(L, "socket busy writing");
  if (!socket.unread().empty()) {
    socket.close();
    return push_error(L, "unread data in buffer");
  }
  const Conf& conf = conf_of(call);
  const std::int64_t time = lua_isnoneornil(L, 2) ? conf.keepalive_timeout->count() : milliseconds(lua_tonumber(L, 2) / 1000);
  std::int64_t size = socket.pool_size ? socket.pool_size : *conf.pool_size;
  if (!lua_isnoneornil(L, 3) && !socket.pool_size) size = whole_number(lua_tonumber(L, 3));
  if (size <= 0) return raise_argument(L, 2, 2, "setkeepalive", "bad \"pool_size\" option value");
  char byte;
  const Io peeked = socket.stream->socket().try_peek({&byte, 1});
  if (peeked.kind == Io::eof || peeked.kind == Io::failed) {
    socket.close();
    return push_error(L, peeked.kind == Io::eof ? std::string("closed") : socket_error(system_error_code(peeked.error)));
  }
  // Of TLS it may be a ticket that came late; what is more shows when it is used.
  if (peeked.kind == Io::done && socket.stream->sends_files()) {
    socket.close();
    return push_error(L, "connection in dubious state");
  }
  Kept kept;
  kept.stream = std::move(socket.stream);
  kept.place = std::move(socket.place);
  kept.reused = socket.reused;
  kept.host = socket.host;
  Vm::now()->pools->keep(socket.pool, std::move(kept), size, time);
  log_debug(call.x, [&] {
    return "lua tcp socket keepalive timeout: " + (time > 0 ? std::to_string(time) + " ms" : std::string("unlimited"));
  });
  lua_pushinteger(L, 1);
  return 1;
}

int getreusedtimes(lua_State* L) {
  TcpSocket& socket = tcp_at(L, 1);
  if (!socket.connection()) return push_error(L, "closed");
  lua_pushinteger(L, socket.reused);
  return 1;
}

// settimeouts(socket, connect, send, read): ms, -1: the block's
int settimeouts(lua_State* L) {
  TcpSocket& socket = tcp_at(L, 1);
  socket.connect_timeout = whole_number(lua_tonumber(L, 2));
  socket.send_timeout = whole_number(lua_tonumber(L, 3));
  socket.read_timeout = whole_number(lua_tonumber(L, 4));
  return 0;
}

int setoption(lua_State* L) {
  TcpSocket& socket = tcp_at(L, 1);
  if (!socket.connection()) return push_error(L, "closed");
  const std::string_view name = text_at(L, 2);
  int value = lua_isboolean(L, 3) ? lua_toboolean(L, 3) : whole_number(lua_tonumber(L, 3));
  int level = SOL_SOCKET, option;
  if (name == "keepalive") option = SO_KEEPALIVE;
  else if (name == "reuseaddr") option = SO_REUSEADDR;
  else if (name == "sndbuf") option = SO_SNDBUF;
  else if (name == "rcvbuf") option = SO_RCVBUF;
  else if (name == "tcp-nodelay") level = IPPROTO_TCP, option = TCP_NODELAY;
  else return push_error(L, "unsupported option " + std::string(name));
  if (::setsockopt(socket.connection()->socket().fd(), level, option, &value, sizeof value) != 0)
    return push_error(L, socket_error(system_error_code(errno)));
  lua_pushinteger(L, 1);
  return 1;
}

int bind(lua_State* L) {
  TcpSocket& socket = tcp_at(L, 1);
  const std::string text(text_at(L, 2));
  if (!Address::parse_ip(text)) return push_error(L, "bad address");
  socket.from = text;
  log_debug(Vm::now()->call->x, [&] { return "lua tcp socket bind ip: " + text; });
  lua_pushboolean(L, true);
  return 1;
}

int make(lua_State* L) {
  check_call(L, kSocket, 2);
  push_new_tcp(L);
  return 1;
}

constexpr luaL_Reg kTcp[] = {{"tcp_new", make}, {"tcp_connect", connect}, {"tcp_send", send}, {"tcp_close", close},
                             {"tcp_setkeepalive", setkeepalive}, {"tcp_getreusedtimes", getreusedtimes}, {"tcp_settimeouts", settimeouts},
                             {"tcp_setoption", setoption}, {"tcp_bind", bind}};

}  // namespace

void check_owner(lua_State* L, const ScriptSocket& socket, int level) {
  if (socket.script && socket.script != Vm::now()->call->script) raise(L, level, "bad request");
}

TcpSocket& tcp_at(lua_State* L, int index, int level) {
  TcpSocket& socket = **static_cast<TcpPtr*>(luaL_checkudata(L, index, kType));
  check_owner(L, socket, level);
  return socket;
}

void push_new_tcp(lua_State* L) {
  const TcpPtr& socket = push_object(L, kType, std::make_shared<TcpSocket>());
  if (Script* const script = Vm::now()->call->script) script->remember(socket);
}

const Conf& conf_of(const Call& call) { return *static_cast<const Conf*>(call.settings->get(module_number<Lua>)); }

void log_socket_error(Call& call, const std::string& text) {
  if (!*conf_of(call).log_socket_errors) return;
  if (call.x) call.x->log(Level::error, text);
  else log(Level::error, text + ", context: ngx.timer");
}

void log_closed(Call& call, const TcpSocket& socket, const std::string& text) {
  const Stream* const connection = socket.connection();
  char which[96];
  std::snprintf(which, sizeof which, ": u:%p, c:%p, ft:0 eof:%d", static_cast<const void*>(&socket), static_cast<const void*>(connection), socket.read_closed);
  log_socket_error(call, text + which);
}

void say_timeout(Exchange* x, const char* of, std::int64_t own, Milliseconds otherwise) {
  log_debug(x, [&] { return std::string("lua tcp socket ") + of + " timeout: " + std::to_string(own >= 0 ? own : otherwise.count()); });
}

Deadline wait_deadline(std::int64_t own, Milliseconds otherwise, Wait wait) {
  if (own >= 0) otherwise = Milliseconds(own);
  return Deadline::in(otherwise, wait);
}

Task<Address> find_address(const Settings& settings, Loop& loop, std::string host, std::uint16_t port, std::string& error) {
  if (host.starts_with("unix:")) {
    const auto path = Address::unix_path(std::string_view(host).substr(5));
    if (path) co_return *path;
    error = "failed to parse host name \"" + host + "\": invalid unix path";
    co_return Address();
  }
  std::string bare = host;
  if (bare.starts_with('[') && bare.ends_with(']')) bare = bare.substr(1, bare.size() - 2);
  if (const auto ip = Address::parse_ip(bare, port)) co_return *ip;
  const std::vector<Address> found = co_await resolve_name(settings, loop, host, error);
  if (!found.empty()) co_return found.front().with_port(port);
  co_return Address();
}

std::span<const luaL_Reg> tcp_api() { return kTcp; }

}  // namespace seawall::lua
