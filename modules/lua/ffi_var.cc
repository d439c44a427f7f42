// ngx.var, ngx.ctx, ngx.get_phase and what the shims ask of the running script. One loop.
#include <algorithm>

#include "conf.h"
#include "ffi.h"
#include "lua.h"
#include "seawall/base/text.h"
#include "seawall/config/variable.h"
#include "seawall/net/loop.h"

using namespace seawall;
using namespace seawall::lua;

namespace {

std::string lower_name(const char* name, std::size_t size) { return lower({name, size}); }

// $sent_http_NAME of a response that is not made yet: what scripts have said of it.
bool find_said(Exchange& x, std::string_view key, std::string& value) {
  constexpr std::string_view prefix = "sent_http_";
  if (x.response || !key.starts_with(prefix)) return false;
  key.remove_prefix(prefix.size());
  bool found = false;
  for (const Field& field : x.state<Lua>().headers.all()) {
    std::string name = lower(field.name);
    std::replace(name.begin(), name.end(), '-', '_');
    if (name != key) continue;
    if (found) value += ", ";
    value += field.value;
    found = true;
  }
  return found;
}

bool value_of(Exchange& x, std::string_view key, const Variable* variable, std::string_view rest, std::string& value) {
  value.clear();
  return find_said(x, key, value) || (variable && variable->get(x, rest, variable->data, value));
}

int give_text(std::string_view text, const char** out, std::size_t* size) {
  give(text, out, size);
  return 1;
}

}  // namespace

// The number of the variable with this name in this VM, for seawall_lua_var_at(): looked up once, not at each use.
SEAWALL_LUA int seawall_lua_var_number(const char* name, std::size_t size) {
  Vm& vm = *Vm::now();
  KnownVariable& known = vm.variables.emplace_back();
  known.key = lower_name(name, size);
  known.variable = vm.world.variables->find(known.key, &known.rest);
  return static_cast<int>(vm.variables.size() - 1);
}

// 1: found; 0: no such value; -1: no request.
SEAWALL_LUA int seawall_lua_var_at(int number, const char** out, std::size_t* size) {
  Vm* const vm = Vm::now();
  Exchange* const x = vm && vm->call ? vm->call->x : nullptr;
  if (!x) return -1;
  const KnownVariable& known = vm->variables[static_cast<std::size_t>(number)];
  return value_of(*x, known.key, known.variable, known.rest, vm->scratch) ? give_text(vm->scratch, out, size) : 0;
}

// The same by name, for scripts that have asked for too many to keep.
SEAWALL_LUA int seawall_lua_var_get(const char* name, std::size_t size, const char** out, std::size_t* out_size) {
  Exchange* const x = request_now();
  if (!x) return -1;
  Vm& vm = *Vm::now();
  std::string_view rest;
  const std::string key = lower_name(name, size);
  const Variable* const variable = vm.world.variables->find(key, &rest);
  return value_of(*x, key, variable, rest, vm.scratch) ? give_text(vm.scratch, out, out_size) : 0;
}

// 0: done; 1: no such variable; 2: not changeable; -1: no request. A null value: none any more.
SEAWALL_LUA int seawall_lua_var_set(const char* name, std::size_t size, const char* value, std::size_t value_size) {
  Exchange* const x = request_now();
  if (!x) return -1;
  std::string_view rest;
  const std::string key = lower_name(name, size);
  const Variable* const variable = Vm::now()->world.variables->find(key, &rest);
  if (!variable) return 1;
  if (variable->set) {
    variable->set(*x, value ? std::string_view(value, value_size) : std::string_view());
    return 0;
  }
  if (!variable->changeable) return variable->prefix ? 1 : 2;
  auto& all = x->named_captures;
  const auto known = std::find_if(all.begin(), all.end(), [&](const auto& pair) { return pair.first == key; });
  if (!value) {
    if (known != all.end()) all.erase(known);
  } else if (known != all.end()) {
    known->second.assign(value, value_size);
  } else {
    all.emplace_back(key, std::string(value, value_size));
  }
  return 0;
}

// The hook that runs, by number; -1: none.
SEAWALL_LUA int seawall_lua_hook() {
  Vm* const vm = Vm::now();
  return vm && vm->call ? static_cast<int>(vm->call->hook) : -1;
}
SEAWALL_LUA int seawall_lua_has_request() { return request_now() != nullptr; }
// May the running script wait?
SEAWALL_LUA int seawall_lua_may_wait() {
  Vm* const vm = Vm::now();
  return vm && vm->call && vm->call->script != nullptr;
}

SEAWALL_LUA void seawall_lua_begin_finaliser() { Vm::now()->begin_finaliser(); }
SEAWALL_LUA void seawall_lua_end_finaliser() { Vm::now()->end_finaliser(); }

// The number of the request's ngx.ctx; negative: it is new, and its table is still to be made; 0: no request.
SEAWALL_LUA int seawall_lua_ctx() {
  Exchange* const x = request_now();
  if (!x) return 0;
  RequestState& state = x->state<Lua>();
  if (state.ctx) return state.ctx;
  vm_of(*x);
  state.ctx = state.vm->take_ctx();
  return -state.ctx;
}

SEAWALL_LUA int seawall_lua_is_subrequest() {
  Exchange* const x = request_now();
  return x ? x->parent != nullptr : -1;
}
SEAWALL_LUA int seawall_lua_worker_id() { return Vm::now()->loop.number(); }
SEAWALL_LUA int seawall_lua_exiting() { return Vm::now()->loop.stopping(); }
