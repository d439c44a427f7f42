// The command line, nginx's letters.
#pragma once
#include <string>

namespace seawall {

class Options {
 public:
  std::string prefix;        // -p, absolute, ends with '/'
  std::string conf;          // -c, absolute
  std::string error_log;     // -e; empty: the built-in place
  std::string globals;       // -g
  std::string signal;        // -s
  bool test = false;         // -t
  bool dump = false;         // -T
  bool quiet = false;        // -q
  std::string conf_prefix() const { return conf.substr(0, conf.rfind('/') + 1); }
};

}  // namespace seawall
