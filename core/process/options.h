// The command line, nginx's letters.
#pragma once
#include <string>

namespace seawall {

class Options {
 public:
  std::string prefix;     // -p, absolute, ends with '/'
  std::string conf;       // -c, absolute
  std::string error_log;  // -e, absolute or "stderr"; empty: the built-in place
  std::string globals;    // -g
  std::string signal;     // -s
  bool help = false;      // -h -?
  bool version = false;   // -v, and with -h and -V
  bool build = false;     // -V
  bool test = false;      // -t -T
  bool dump = false;      // -T
  bool quiet = false;     // -q
  std::string conf_prefix() const { return conf.substr(0, conf.rfind('/') + 1); }
};

// Fills in the prefix and the configuration where the command line has none, and makes paths absolute.
void complete(Options& options);

}  // namespace seawall
