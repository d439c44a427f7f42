#include "seawall/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace seawall {
namespace {
void (*context)() = nullptr;
}

void set_check_context(void (*print)()) { context = print; }

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "[alert] check failed: %s at %s:%d\n", condition, file, line);
  if (context) context();
  std::abort();
}

}  // namespace seawall
