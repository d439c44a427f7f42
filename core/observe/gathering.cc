#include "seawall/observe/gathering.h"

#include "seawall/base/check.h"

namespace seawall {

void Family::add(double value, std::initializer_list<Label> labels) {
  Sample& sample = samples.emplace_back();
  sample.labels = labels;
  sample.value = value;
}

const Family* Gathering::find(std::string_view name) const {
  for (const Family& family : families_)
    if (family.name == name) return &family;
  return nullptr;
}

Family& Gathering::family(std::string_view name, std::string_view help, MetricType type) {
  if (const Family* known = find(name)) {
    CHECK(known->type == type);
    return const_cast<Family&>(*known);
  }
  Family& made = families_.emplace_back();
  made.name = name;
  made.help = help;
  made.type = type;
  return made;
}

Family& Gathering::histogram(std::string_view name, std::string_view help, std::span<const double> bounds) {
  Family& made = family(name, help, MetricType::histogram);
  made.bounds = bounds;
  return made;
}

}  // namespace seawall
