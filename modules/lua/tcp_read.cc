// ngx.socket.tcp: receive, receiveany, receiveuntil. One loop.
#include <algorithm>

#include "lua.h"
#include "seawall/server/exchange.h"
#include "body_turn.h"
#include "tcp.h"

namespace seawall::lua {
namespace {

class ReadAwait : public Await {
 public:
  ReadAwait(Call& call, TcpSocket& socket) : conf_(conf_of(call)), x_(call.x), socket_(socket), keep_(socket.shared_from_this()) {}

  Task<void> run() override {
    socket_.reading = true;
    while (!try_take()) {
      const std::error_code error = co_await read_more();
      if (!error) continue;
      if (error == Errc::peer_closed) {
        socket_.read_closed = true;
        at_end();
        break;
      }
      if (error != Errc::timed_out && error != Errc::cancelled) socket_.read_closed = true;
      fail(socket_error(error));
      break;
    }
    socket_.reading = false;
    socket_.settle();
  }
  int push(lua_State* L) override {
    if (error_.empty()) {
      lua::push(L, data_);
      return 1;
    }
    lua_pushnil(L);
    lua::push(L, error_);
    lua::push(L, data_);
    return 3;
  }

  // Takes what was asked for out of what is there; false: it is not there yet.
  virtual bool try_take() = 0;
  // There will be no more.
  virtual void at_end() { fail("closed"); }

 protected:
  void fail(std::string error) {
    error_ = std::move(error);
    data_ += rest();
    if (error_ == "timeout" && *conf_.log_socket_errors && x_) x_->log(Level::error, "lua tcp socket read timed out");
  }
  // What is left, as a part of what was asked for.
  virtual std::string rest() { return socket_.take(std::string::npos); }

  Task<std::error_code> read_more() {
    if (socket_.read_closed) co_return Errc::peer_closed;
    if (socket_.reads_body) co_return co_await read_body();
    if (socket_.at > 0) {
      socket_.in.erase(0, socket_.at);
      socket_.at = 0;
    }
    const std::size_t before = socket_.in.size();
    const std::size_t room = std::max<std::size_t>(static_cast<std::size_t>(*conf_.buffer_size), before / 2);
    socket_.in.resize(before + room);
    const Deadline deadline = wait_deadline(socket_.read_timeout, *conf_.read_timeout, Wait::upstream_read);
    say_timeout(x_, "read", socket_.read_timeout, *conf_.read_timeout);
    const Result<std::size_t> n = co_await read_at(before, room, deadline);
    socket_.in.resize(before + (n ? *n : 0));
    co_return n.error();
  }
  // One direction has one waiter: TLS that wants to write for a read, while somebody writes, is at its end.
  Task<Result<std::size_t>> read_at(std::size_t before, std::size_t room, Deadline deadline) {
    Stream& stream = *socket_.connection();
    for (;;) {
      const Io io = stream.try_read({socket_.in.data() + before, room});
      if (io.kind == Io::done) co_return io.n;
      if (io.kind == Io::eof || io.kind == Io::failed) co_return error_of(io);
      if (io.kind == Io::want_write && stream.socket().has_waiter(Socket::writing)) co_return Errc::tls_failed;
      const Errc waited = co_await seawall::wait_for(stream, io, deadline);
      if (waited != Errc::ok) co_return waited;
    }
  }
  Task<std::error_code> read_body() {
    Exchange& x = *x_;  // the socket's script is this one
    BodyTurn turn(x.state<Lua>());
    const Errc begun = co_await turn.wait();
    if (begun != Errc::ok) co_return begun;
    if (x.body.ended()) co_return Errc::peer_closed;
    Result<Piece> piece = co_await x.body.read(x);
    if (!piece) co_return piece.error();
    socket_.in.append(piece->data.view());
    co_return std::error_code();
  }

  const Conf& conf_;
  Exchange* const x_;
  TcpSocket& socket_;
  const std::shared_ptr<TcpSocket> keep_;
  std::string data_, error_;
};

class ReadLine final : public ReadAwait {
 public:
  using ReadAwait::ReadAwait;
  bool try_take() override {
    const auto end = socket_.unread().find('\n');
    if (end == std::string_view::npos) return false;
    data_ = without_returns(socket_.take(end + 1));
    data_.pop_back();
    return true;
  }
  std::string rest() override { return without_returns(socket_.take(std::string::npos)); }

 private:
  static std::string without_returns(std::string line) {
    std::erase(line, '\r');
    return line;
  }
};

class ReadSize final : public ReadAwait {
 public:
  ReadSize(Call& call, TcpSocket& socket, std::size_t size) : ReadAwait(call, socket), size_(size) {}
  bool try_take() override {
    if (socket_.unread().size() < size_) return false;
    data_ = socket_.take(size_);
    return true;
  }

 private:
  const std::size_t size_;
};

class ReadAll final : public ReadAwait {
 public:
  using ReadAwait::ReadAwait;
  bool try_take() override { return false; }
  void at_end() override { data_ = socket_.take(std::string::npos); }
};

class ReadAny final : public ReadAwait {
 public:
  ReadAny(Call& call, TcpSocket& socket, std::size_t most) : ReadAwait(call, socket), most_(most) {}
  bool try_take() override {
    if (socket_.unread().empty()) return false;
    data_ = socket_.take(most_);
    return true;
  }

 private:
  const std::size_t most_;
};

// Up to a pattern, `size` bytes at most (0: all). The fourth result: it has come.
class ReadUntil final : public ReadAwait {
 public:
  ReadUntil(Call& call, TcpSocket& socket, std::string pattern, std::size_t size, bool inclusive)
      : ReadAwait(call, socket), pattern_(std::move(pattern)), size_(size), inclusive_(inclusive) {}
  bool try_take() override {
    const std::string_view there = socket_.unread();
    const auto found = there.find(pattern_);
    const std::size_t before = found != std::string_view::npos ? found : there.size() - held_back(there);
    if (size_ > 0 && before >= size_ && !(found == size_ && inclusive_)) {
      data_ = socket_.take(size_);
      return true;
    }
    if (found == std::string_view::npos) return false;
    data_ = socket_.take(found + (inclusive_ ? pattern_.size() : 0));
    if (!inclusive_) socket_.take(pattern_.size());
    found_ = true;
    return true;
  }
  int push(lua_State* L) override {
    const int count = ReadAwait::push(L);
    if (count == 1) {
      lua_pushnil(L);
      lua_pushnil(L);
    }
    lua_pushboolean(L, found_);
    return 4;
  }

 private:
  // The end of `there` that may be the pattern's beginning.
  std::size_t held_back(std::string_view there) const {
    for (std::size_t n = std::min(there.size(), pattern_.size() - 1); n > 0; --n)
      if (there.ends_with(std::string_view(pattern_).substr(0, n))) return n;
    return 0;
  }
  const std::string pattern_;
  const std::size_t size_;
  const bool inclusive_;
  bool found_ = false;
};

// Null: the socket cannot be read from, and why is on the stack.
TcpSocket* readable(lua_State* L, Call& call) {
  TcpSocket& socket = tcp_at(L, 1, 3);
  if ((!socket.connection() || socket.read_closed) && !socket.reads_body && socket.unread().empty()) {
    log_closed(call, socket, "attempt to receive data on a closed socket");
    push_error(L, "closed");
    return nullptr;
  }
  if (socket.connecting || socket.reading) {
    push_error(L, socket.connecting ? "socket busy connecting" : "socket busy reading");
    return nullptr;
  }
  return &socket;
}

// receive(socket, "l" | "a" | size)
int receive(lua_State* L) {
  Call& call = check_call(L, kSocket, 3);
  TcpSocket* const socket = readable(L, call);
  if (!socket) return 2;
  if (lua_type(L, 2) == LUA_TNUMBER) {
    const std::size_t size = whole_size(lua_tonumber(L, 2));
    if (size == 0) {
      lua_pushliteral(L, "");
      return 1;
    }
    return wait_for(L, std::make_unique<ReadSize>(call, *socket, size));
  }
  if (text_at(L, 2) == "a") return wait_for(L, std::make_unique<ReadAll>(call, *socket));
  return wait_for(L, std::make_unique<ReadLine>(call, *socket));
}

int receiveany(lua_State* L) {
  Call& call = check_call(L, kSocket, 3);
  TcpSocket* const socket = readable(L, call);
  if (!socket) return 2;
  const std::size_t most = whole_size(lua_tonumber(L, 2));
  log_debug(call.x, [&] { return "lua tcp socket calling receiveany() method to read at most " + std::to_string(most) + " bytes"; });
  return wait_for(L, std::make_unique<ReadAny>(call, *socket, most));
}

// receiveuntil(socket, pattern, size, inclusive)
int receiveuntil(lua_State* L) {
  Call& call = check_call(L, kSocket, 3);
  TcpSocket* const socket = readable(L, call);
  if (!socket) return 2;
  return wait_for(L, std::make_unique<ReadUntil>(call, *socket, std::string(text_at(L, 2)), whole_size(lua_tonumber(L, 3)),
                                                 lua_toboolean(L, 4)));
}

constexpr luaL_Reg kRead[] = {{"tcp_receive", receive}, {"tcp_receiveany", receiveany}, {"tcp_receiveuntil", receiveuntil}};

}  // namespace

std::span<const luaL_Reg> tcp_read_api() { return kRead; }

}  // namespace seawall::lua
