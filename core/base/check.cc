#include "seawall/base/check.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "seawall/base/crash_output.h"

namespace seawall {
namespace {
void (*context)() = nullptr;
int output = STDERR_FILENO;
}  // namespace

void set_crash_output(int fd) { output = fd; }
int crash_output() { return output; }

void set_check_context(void (*print)()) { context = print; }

void check_failed(const char* condition, const char* file, int line) {
  ::dprintf(output, "[alert] check failed: %s at %s:%d\n", condition, file, line);
  if (context) context();
  std::abort();
}

}  // namespace seawall
