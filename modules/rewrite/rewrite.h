// What a server or a location says to its rewrite phase: instructions in the order written, run until one answers, moves the
// request elsewhere or stops. Compiled at start-up, run on any loop.
#pragma once
#include <variant>
#include <vector>

#include "if.h"
#include "instruction.h"
#include "replace.h"
#include "return.h"
#include "set.h"

namespace seawall::rewrite {

class Instruction {
 public:
  template <class T>
  Instruction(std::in_place_type_t<T> type, const Invocation& in) : what(type, in), written(as_written(in)) {}
  std::variant<Return, Set, Replace, Break, If> what;
  std::string written;
};

// In the order written, until one answers or stops the rest.
Outcome run_all(Exchange& x, const std::vector<Instruction>& instructions, Progress& progress);

class Conf {
 public:
  std::vector<Instruction> instructions;
  // The block that wrote them. Instructions are never inherited, but a block without a Conf of its own shares its outer
  // one's.
  const Settings* block = nullptr;
  Where where = kMain;
  Setting<bool> log{false};   // rewrite_log
  Setting<bool> warn{true};   // uninitialized_variable_warn
};

class Rewrite {
 public:
  using Conf = rewrite::Conf;
  static constexpr const char* name = "rewrite";
  static constexpr const char* summary = "other URIs, variables, and answers at once";
  static const std::span<const Directive> directives;
  static const std::span<const Step> steps;
};

}  // namespace seawall::rewrite
