#include "set.h"

#include <algorithm>

#include "rewrite.h"
#include "seawall/base/text.h"
#include "seawall/config/binder.h"

namespace seawall::rewrite {
namespace {

// The values lie beside those of named captures, which set may overwrite and be overwritten by.
auto find(Exchange& x, const std::string& name) {
  return std::find_if(x.named_captures.begin(), x.named_captures.end(), [&](const auto& pair) { return pair.first == name; });
}

bool get(Exchange& x, std::string_view, const void* data, std::string& out) {
  const auto& name = *static_cast<const std::string*>(data);
  if (const auto found = find(x, name); found != x.named_captures.end()) out += found->second;
  else if (*x.conf<Rewrite>().warn) x.log(Level::warn, "using uninitialized \"" + name + "\" variable");
  return true;
}

// A variable of the core or of another module says what it says; regexes' named groups may be set.
void define(VariableTable& variables, const std::string& name) {
  std::string_view rest;
  const Variable* known = variables.find(name, &rest);
  if (known && !known->prefix) {
    if (known->get == get || known->data) return;
    throw ConfigError("the duplicate \"" + name + "\" variable");
  }
  Variable variable;
  variable.name = name;
  variable.get = get;
  variable.data = &name;
  variables.define(std::move(variable));
}

}  // namespace

Set::Set(const Invocation& in) {
  const std::string& word = in.arg(0);
  if (word.size() < 2 || word[0] != '$') throw ConfigError("invalid variable name \"" + word + "\"");
  const std::string name = lower(word.substr(1));
  value_ = in.compile(in.arg(1));
  if (name == "args") return;
  name_ = std::make_shared<const std::string>(name);
  define(in.binder.variables(), *name_);
}

Outcome Set::run(Exchange& x, Progress&) const {
  std::string value = value_.eval(x);
  if (!name_) x.args = std::move(value);
  else if (const auto found = find(x, *name_); found != x.named_captures.end()) found->second = std::move(value);
  else x.named_captures.emplace_back(*name_, std::move(value));
  return Next{};
}

}  // namespace seawall::rewrite
