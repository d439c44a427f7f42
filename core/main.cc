// seawall: reads the command line, then serves. The walk of a request begins in net/listener.cc; README.md has the map.
#include "seawall/process/command_line.h"
#include "seawall/process/start.h"

int main(int argc, char** argv) {
  int exit_code = 0;
  const auto options = seawall::read_command_line(argc, argv, exit_code);
  return options ? seawall::run(*options) : exit_code;
}
