// What the parts of the TCP cosocket share. One loop.
#pragma once
#include "api.h"
#include "conf.h"
#include "seawall/net/address.h"
#include "tcp_socket.h"

namespace seawall::lua {

// Of the running script, or nobody's: another one's raises, at `level`.
TcpSocket& tcp_at(lua_State* L, int index, int level = 2);
void check_owner(lua_State* L, const ScriptSocket& socket, int level);
void push_new_tcp(lua_State* L);
const Conf& conf_of(const Call& call);
void log_socket_error(Call& call, const std::string& text);
// The deadline of one wait: `own` ms, or the block's.
Deadline wait_deadline(std::int64_t own, Milliseconds otherwise, Wait wait);
void log_closed(Call& call, const TcpSocket& socket, const std::string& text);
void say_timeout(Exchange* x, const char* of, std::int64_t own, Milliseconds otherwise);
inline constexpr Hooks kSocket = kWaiting;

// The address of `host`, looked up where it is a name. Empty: `error` says why.
Task<Address> find_address(const Settings& settings, Loop& loop, std::string host, std::uint16_t port, std::string& error);

}  // namespace seawall::lua
