#include "seawall/observe/sources.h"

#include <utility>

namespace seawall {
namespace {

std::vector<Collect>& sources() {
  static std::vector<Collect> all;
  return all;
}

}  // namespace

void set_sources(std::vector<Collect> all) { sources() = std::move(all); }

Gathering gather() {
  Gathering gathering;
  for (const Collect& collect : sources()) collect(gathering);
  return gathering;
}

}  // namespace seawall
