// CHECK: what only a bug of ours can break. Always on; ends the worker with the condition, the place and the request
// being served, and the supervisor starts a new worker.
#pragma once
#include "seawall/base/export.h"

namespace seawall {

[[noreturn]] SEAWALL_API void check_failed(const char* condition, const char* file, int line);

// Called before the process ends, to say which request was being served; set once at start.
SEAWALL_API void set_check_context(void (*print)());

}  // namespace seawall

#define CHECK(condition) \
  (__builtin_expect(!!(condition), 1) ? void() : ::seawall::check_failed(#condition, __FILE__, __LINE__))
