#include "seawall/config/variable.h"

#include "seawall/base/text.h"
#include "seawall/config/known_names.h"

namespace seawall {

void VariableTable::define(Variable variable) {
  const Variable& kept = variables_.emplace_back(std::move(variable));
  if (kept.prefix) prefixes_.push_back(&kept);
  else by_name_[kept.name] = &kept;
}

const Variable& VariableTable::define_changeable(Variable variable) {
  variable.name = lower(variable.name);
  variable.changeable = true;
  std::string_view rest;
  if (finder_ && !find(variable.name, &rest)) finder_(variable.name);
  const Variable* known = find(variable.name, &rest);
  if (known && !known->prefix && !known->changeable) throw ConfigError("the duplicate \"" + variable.name + "\" variable");
  define(std::move(variable));
  return variables_.back();
}

const Variable* VariableTable::find(std::string_view name, std::string_view* rest) const {
  *rest = {};
  if (const auto exact = by_name_.find(std::string(name)); exact != by_name_.end()) return exact->second;
  const Variable* longest = nullptr;
  for (const Variable* prefix : prefixes_)
    if (name.starts_with(prefix->name) && (!longest || prefix->name.size() > longest->name.size())) longest = prefix;
  if (longest) *rest = name.substr(longest->name.size());
  return longest;
}

// Names are case-insensitive, as in nginx.
int VariableTable::refer(std::string_view name, const Place& place) {
  const std::string key = lower(name);
  const auto [known, added] = by_reference_.try_emplace(key, static_cast<int>(references_.size()));
  if (added) {
    Reference reference;
    reference.name = key;
    reference.place = place;
    references_.push_back(std::move(reference));
    std::string_view rest;
    if (finder_ && !find(key, &rest)) finder_(key);
  }
  return known->second;
}

void VariableTable::resolve() {
  for (Reference& reference : references_) {
    std::string_view rest;
    reference.variable = find(reference.name, &rest);
    reference.rest = rest;
    if (reference.variable) continue;
    if (is_unbuilt_variable(reference.name)) throw ConfigError("\"" + reference.name + "\" variable is not supported yet", reference.place);
    throw ConfigError("unknown \"" + reference.name + "\" variable", reference.place);
  }
}

bool VariableTable::get(int number, Exchange& x, std::string& out) const {
  const Reference& reference = references_[static_cast<std::size_t>(number)];
  return reference.variable->get(x, reference.rest, reference.variable->data, out);
}

}  // namespace seawall
