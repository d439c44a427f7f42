#include "seawall/server/named_captures.h"

#include <algorithm>
#include <string>

#include "seawall/server/exchange.h"
#include "seawall/server/written_variables.h"

namespace seawall {
namespace {

bool get_named(Exchange& x, std::string_view, const void* data, std::string& out) {
  const std::string* value = find_written(x, *static_cast<const std::string*>(data));
  if (value) out += *value;
  return value;
}

}  // namespace

void define_named_captures(const Regex& regex, VariableTable& variables) {
  for (const auto& [name, group] : regex.names()) {
    std::string_view rest;
    if (const Variable* known = variables.find(name, &rest); known && known->get == get_named) continue;
    Variable variable;
    variable.name = name;
    variable.get = get_named;
    variable.data = &name;  // the regex lives as long as the configuration
    variables.define_changeable(std::move(variable));
  }
}

void keep_named_captures(Exchange& x, const Regex& regex, const Captures& captures) {
  for (const auto& [name, group] : regex.names()) {
    const std::string value(captures.get(group));
    const auto known = std::find_if(x.named_captures.begin(), x.named_captures.end(),
                                    [&, &name = name](const auto& pair) { return pair.first == name; });
    if (known != x.named_captures.end()) known->second = value;
    else x.named_captures.emplace_back(name, value);
  }
}

}  // namespace seawall
