// The functions that the shims call through LuaJIT's FFI, so that traces with them compile: no Lua call inside, no error out of
// them but a return value. A text they give back lies in Vm::scratch until the next call, or where it is.
#pragma once
#include <cstddef>
#include <string_view>

#include "seawall/base/export.h"
#include "seawall/server/exchange.h"
#include "vm.h"

#define SEAWALL_LUA extern "C" SEAWALL_API

namespace seawall::lua {

// The request that the running script is about; null: none.
inline Exchange* request_now() {
  Vm* const vm = Vm::now();
  return vm && vm->call ? vm->call->x : nullptr;
}
inline void give(std::string_view text, const char** out, std::size_t* size) {
  *out = text.data();
  *size = text.size();
}

}  // namespace seawall::lua
