// seawall: reads the command line, then serves. The walk of a request begins in net/listener.cc; README.md has the map.
#include "seawall/process/command_line.h"
#include "seawall/process/start.h"

int main(int argc, char** argv) {
  int exit_code = 0;
  const auto options = seawall::read_command_line(argc, argv, exit_code);
  return options ? seawall::run(*options) : exit_code;
}

#ifdef __SANITIZE_ADDRESS__
// GCC 12's LeakSanitizer takes what lies before the thread-local block of a dlopen()ed module for glibc's header, follows it and
// crashes itself.
extern "C" __attribute__((visibility("default"))) const char* __asan_default_options() { return "intercept_tls_get_addr=0"; }
#endif
