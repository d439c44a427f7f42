#include "async_names.h"

namespace seawall::profile {
namespace {

constexpr std::string_view kNowhere = "(anonymous namespace)::", kOurs = "seawall::";

}  // namespace

std::string short_name(std::string name) {
  for (const std::string_view clutter : {kNowhere, kOurs})
    for (auto at = name.find(clutter); at != name.npos; at = name.find(clutter, at)) name.erase(at, clutter.size());
  int depth = 0;
  std::size_t begin = 0, at = 0;
  for (; at < name.size() && !(name[at] == '(' && depth == 0); ++at) {
    if (name[at] == '<') ++depth;
    else if (name[at] == '>') --depth;
    else if (name[at] == ' ' && depth == 0) begin = at + 1;
  }
  return name.substr(begin, at - begin);
}

const std::string& AsyncNames::of(std::uintptr_t function) {
  const auto [known, added] = known_.try_emplace(function);
  if (added) known->second = short_name(symbols_.name_of(function));
  return known->second;
}

}  // namespace seawall::profile
