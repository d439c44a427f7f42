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

}  // namespace

bool Set::get(Exchange& x, std::string_view, const void* data, std::string& out) {
  const auto& target = *static_cast<const Target*>(data);
  if (const auto found = find(x, target.name); found != x.named_captures.end()) out += found->second;
  else if (target.before) return target.before->get(x, target.rest, target.before->data, out);
  else if (*x.conf<Rewrite>().warn) x.log(Level::warn, "using uninitialized \"" + target.name + "\" variable");
  return true;
}

void Set::define(VariableTable& variables, const std::string& name) {
  target_ = std::make_shared<Target>();
  target_->name = name;
  std::string_view rest;
  const Variable* known = variables.find(name, &rest);
  if (known) {
    set_ = known->set;
    if (set_ || known->get == get) return;
    target_->before = known;
    target_->rest = rest;
  }
  Variable variable;
  variable.name = name;
  variable.get = get;
  variable.data = target_.get();
  variables.define_changeable(std::move(variable));
}

Set::Set(const Invocation& in) {
  const std::string& word = in.arg(0);
  if (word.size() < 2 || word[0] != '$') throw ConfigError("invalid variable name \"" + word + "\"");
  value_ = in.compile(in.arg(1));
  define(in.binder.variables(), lower(word.substr(1)));
}

Outcome Set::run(Exchange& x, Progress&) const {
  std::string value = value_.eval(x);
  if (set_) set_(x, value);
  else if (const auto found = find(x, target_->name); found != x.named_captures.end()) found->second = std::move(value);
  else x.named_captures.emplace_back(target_->name, std::move(value));
  return Next{};
}

}  // namespace seawall::rewrite
