// One auth_request_set: a variable, and what it becomes when the subrequest has answered. Made at start-up, used on any loop.
#pragma once
#include <memory>
#include <string>

#include "seawall/module/module.h"

namespace seawall::auth_request {

class Assignment {
 public:
  // ConfigError: invalid variable name "WORD"; the duplicate "NAME" variable: one that is the server's own.
  explicit Assignment(const Invocation& in);
  // The value as `asked` has it, for `x`.
  void run(Exchange& x, Exchange& asked) const;

 private:
  class Target;
  static bool get(Exchange& x, std::string_view rest, const void* data, std::string& out);
  static std::string* find(Exchange& x, const std::string& name);
  void define(VariableTable& variables);

  std::shared_ptr<Target> target_;
  SetVariable set_ = nullptr;  // of a variable that stands for something of the request ($args)
  Template value_;
};

}  // namespace seawall::auth_request
