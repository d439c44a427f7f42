// The setting of slice, and what a request keeps. The setting is written at start-up and read by every loop.
#pragma once
#include <cstdint>
#include <span>
#include <string>

#include "seawall/module/module.h"

namespace seawall::slice {

class Conf {
 public:
  Setting<std::int64_t> size{0};  // 0: off
};

// Of the request, and of each subrequest for a part.
class State {
 public:
  const Conf* conf = nullptr;  // under which a part was asked for ($slice_range); null: none was
  std::uint64_t start = 0;     // of that part
};

class SliceModule {
 public:
  using Conf = slice::Conf;
  using State = slice::State;
  static constexpr const char* name = "slice";
  static constexpr const char* summary = "large responses in parts, each asked for by itself";
  static const std::span<const Directive> directives;
  static const Filter filters[1];
  static const VariableRow variables[1];
};

}  // namespace seawall::slice
