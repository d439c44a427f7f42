// Gives errors of a configuration their FILE:LINE. Start-up thread.
#pragma once
#include "seawall/config/tree.h"

namespace seawall {

// Runs work; a ConfigError that comes out of it without a place gets this one.
template <class F>
void placed(const Place& place, F&& work) {
  try {
    work();
  } catch (const ConfigError& error) {
    if (error.placed()) throw;
    throw ConfigError(error.what(), place);
  }
}

}  // namespace seawall
