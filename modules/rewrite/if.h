// if (CONDITION) { ... }: instructions that run when the condition holds. In a location the block is a location of its own, whose
// settings hold for the rest of the request; of several the last that was entered. Compiled at start-up, run on any loop.
#pragma once
#include "condition.h"

namespace seawall {
class Location;
}

namespace seawall::rewrite {

class Conf;

class If {
 public:
  // ConfigError: what Condition and the directives of the block throw.
  explicit If(const Invocation& in);
  Outcome run(Exchange& x, Progress& progress) const;

 private:
  std::string written_;
  Condition condition_;
  const Location* location_ = nullptr;  // to be entered; null in a server
  const Conf* inner_ = nullptr;         // what the block says to the rewrite phase; null: nothing
};

}  // namespace seawall::rewrite
