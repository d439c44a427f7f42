// Names of coroutines as a stack of them is read: "LuaHandler::run", without namespaces, arguments and result. One thread.
#pragma once
#include <map>
#include <string>

#include "symbols.h"

namespace seawall::profile {

// "seawall::Task<void> seawall::(anonymous namespace)::pass<int>(int)" is "pass<int>".
std::string short_name(std::string name);

class AsyncNames {
 public:
  explicit AsyncNames(Symbols& symbols) : symbols_(symbols) {}
  const std::string& of(std::uintptr_t function);

 private:
  Symbols& symbols_;
  std::map<std::uintptr_t, std::string> known_;
};

}  // namespace seawall::profile
