#include "balancer.h"

#include <algorithm>

#include "api.h"
#include "lua.h"
#include "seawall/server/exchange.h"
#include "seawall/upstream/chooser.h"

namespace seawall::lua {

// What the script works on.
class BalancerTry {
 public:
  PeerChooser::Try& next;
  int status = 0;
};

namespace {

constexpr Hooks kBalancer = bit(Hook::balancer);

class LuaChooser final : public PeerChooser {
 public:
  explicit LuaChooser(ChunkPtr chunk) : chunk_(std::move(chunk)) {}
  int choose(Exchange& x, Try& next) const override {
    BalancerTry work{next};
    Call call(Hook::balancer, &x);
    call.more = &work;
    Vm& vm = vm_of(x);
    if (vm.run(*chunk_, call)) return work.status;
    x.log(Level::error, vm.error.starts_with("failed to load") ? vm.error : "failed to run balancer_by_lua*: " + vm.error);
    return 500;
  }

 private:
  const ChunkPtr chunk_;
};

BalancerTry& try_of(const Call& call) { return *static_cast<BalancerTry*>(call.more); }

// balancer_set_peer(address, port, name or nil)
int set_peer(lua_State* L) {
  Call& call = check_call(L, kBalancer, 2);
  const std::string_view host = text_at(L, 1);
  std::optional<Address> address;
  if (host.starts_with("unix:")) {
    address = Address::unix_path(host.substr(5));
  } else {
    const double port = lua_tonumber(L, 2);
    if (!(port >= 1 && port <= 65535)) return push_error(L, "invalid port");
    const bool bracketed = host.starts_with('[') && host.ends_with(']');
    address = Address::parse_ip(bracketed ? host.substr(1, host.size() - 2) : host, static_cast<std::uint16_t>(port));
  }
  if (!address) return push_error(L, "no host allowed");
  PeerChooser::Try& next = try_of(call).next;
  next.address = *address;
  next.name = text_at(L, 3);
  lua_pushboolean(L, true);
  return 1;
}

// balancer_set_more_tries(count)
int set_more_tries(lua_State* L) {
  Call& call = check_call(L, kBalancer, 2);
  PeerChooser::Try& next = try_of(call).next;
  const int wanted = std::max(0, whole_number(lua_tonumber(L, 1)));
  next.more_tries = std::min(wanted, next.most_more);
  lua_pushboolean(L, true);
  if (next.more_tries == wanted) return 1;
  push(L, "reduced tries due to limit");
  return 2;
}

// balancer_last_failure(): how the try before has ended, and the status; nothing: this is the first
int last_failure(lua_State* L) {
  Call& call = check_call(L, kBalancer, 2);
  const PeerChooser::Try& next = try_of(call).next;
  if (next.before == PeerChooser::Try::Before::none) return 0;
  push(L, next.before == PeerChooser::Try::Before::next ? "next" : "failed");
  lua_pushinteger(L, next.status);
  return 2;
}

// balancer_set_timeouts(connect, send, read): seconds, nil: as they are
int set_timeouts(lua_State* L) {
  Call& call = check_call(L, kBalancer, 2);
  PeerChooser::Try& next = try_of(call).next;
  Milliseconds* const all[] = {&next.connect, &next.send, &next.read};
  for (int i = 1; i <= 3; ++i)
    if (!lua_isnoneornil(L, i)) *all[i - 1] = Milliseconds(std::max<std::int64_t>(1, milliseconds(lua_tonumber(L, i))));
  lua_pushboolean(L, true);
  return 1;
}

// balancer_enable_keepalive(idle, requests): idle 0: for ever
int enable_keepalive(lua_State* L) {
  Call& call = check_call(L, kBalancer, 2);
  const double idle = lua_tonumber(L, 1);
  try_of(call).next.keeps = KeptFor(Milliseconds(milliseconds(idle > 0 ? idle : 1e9)), whole_size(lua_tonumber(L, 2)));
  lua_pushboolean(L, true);
  return 1;
}

int recreate_request(lua_State* L) {
  check_call(L, kBalancer, 2);
  lua_pushboolean(L, true);
  return 1;
}

constexpr luaL_Reg kBalancerApi[] = {{"balancer_set_peer", set_peer}, {"balancer_set_more_tries", set_more_tries},
                                     {"balancer_last_failure", last_failure}, {"balancer_set_timeouts", set_timeouts},
                                     {"balancer_enable_keepalive", enable_keepalive}, {"balancer_recreate_request", recreate_request}};

}  // namespace

std::shared_ptr<const PeerChooser> make_chooser(ChunkPtr chunk) { return std::make_shared<LuaChooser>(std::move(chunk)); }

void exit_balancer(void* more, int status) {
  if (status != 0) static_cast<BalancerTry*>(more)->status = status > 0 ? status : 500;
}

std::span<const luaL_Reg> balancer_api() { return kBalancerApi; }

}  // namespace seawall::lua
