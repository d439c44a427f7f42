// What a server or a location says to its rewrite phase: instructions in the order written, run until one answers.
// Compiled at start-up, run on any loop.
#pragma once
#include <variant>
#include <vector>

#include "return.h"
#include "seawall/module/module.h"

namespace seawall::rewrite {

using Instruction = std::variant<Return>;

class Conf {
 public:
  std::vector<Instruction> instructions;
  // The block that wrote them. Instructions are never inherited, but a block without a Conf of its own shares its outer
  // one's.
  const Settings* block = nullptr;
  Where where = kMain;
};

}  // namespace seawall::rewrite
