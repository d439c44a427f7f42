// set $variable value: the value is made when the instruction runs. A variable that no set has reached for a request is empty,
// with a warning unless uninitialized_variable_warn is off. Compiled at start-up, run on any loop.
#pragma once
#include <memory>

#include "instruction.h"

namespace seawall::rewrite {

class Set {
 public:
  // ConfigError: invalid variable name "WORD"; the duplicate "NAME" variable: one that is not to be set.
  explicit Set(const Invocation& in);
  Outcome run(Exchange& x, Progress&) const;

 private:
  // The variable, and what it was before set gave it a meaning: a map's is asked until set has run.
  class Target {
   public:
    std::string name;  // lower case
    const Variable* before = nullptr;
    std::string rest;  // of a prefix variable's name
  };
  static bool get(Exchange& x, std::string_view, const void* target, std::string& out);
  void define(VariableTable& variables, const std::string& name);

  std::shared_ptr<Target> target_;
  SetVariable set_ = nullptr;  // of one that stands for something of the request
  Template value_;
};

}  // namespace seawall::rewrite
