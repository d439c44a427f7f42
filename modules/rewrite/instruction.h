// What the instructions of the rewrite phases share. Any loop.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "seawall/module/module.h"

namespace seawall::rewrite {

// How far the instructions of one block have got with a request.
class Progress {
 public:
  bool changed = false;   // the URI: another location is to be searched
  bool stopped = false;   // break, or a flag of rewrite
  bool logs = false;      // rewrite_log
};

// For a Location: a decoded $uri may hold line ends (%0D%0A), which must not end the field. nginx lets them through.
std::string without_controls(std::string_view location);

// The directive as it was written, and where: "set $a b in FILE:LINE".
std::string as_written(const Invocation& in);

// break;
class Break {
 public:
  explicit Break(const Invocation&) {}
  Outcome run(Exchange&, Progress& progress) const {
    progress.stopped = true;
    progress.changed = false;
    return Next{};
  }
};

}  // namespace seawall::rewrite
