// set $variable value: the value is made when the instruction runs. A variable that no set has reached for a request is empty,
// with a warning unless uninitialized_variable_warn is off. Compiled at start-up, run on any loop.
#pragma once
#include "instruction.h"

namespace seawall::rewrite {

class Set {
 public:
  // ConfigError: invalid variable name "WORD"; the duplicate "NAME" variable: one that is not to be set.
  explicit Set(const Invocation& in);
  Outcome run(Exchange& x, Progress&) const;

 private:
  std::shared_ptr<const std::string> name_;  // lower case; null: $args
  Template value_;
};

}  // namespace seawall::rewrite
