// set_by_lua: a variable that a script gives its value. The instruction is `set`'s, among the others of the rewrite module in the
// order written; its value is a variable of ours that runs the script. Start-up thread.
#pragma once
#include "conf.h"

namespace seawall::lua {

void set_variable(Conf& conf, const Invocation& in);

// What ngx.arg is in a script of set_by_lua.
class SetArguments {
 public:
  std::vector<std::string> values;
};

}  // namespace seawall::lua
