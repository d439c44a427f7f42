#include "assignment.h"

#include "seawall/base/text.h"
#include "seawall/config/binder.h"

namespace seawall::auth_request {

class Assignment::Target {
 public:
  std::string name;                  // lower case
  const Variable* before = nullptr;  // what the name means until the subrequest has answered
};

// The values lie where those of `set` and of regexes' groups do: one may overwrite the other's.
std::string* Assignment::find(Exchange& x, const std::string& name) {
  for (auto& [key, value] : x.named_captures)
    if (key == name) return &value;
  return nullptr;
}

bool Assignment::get(Exchange& x, std::string_view, const void* data, std::string& out) {
  const auto& target = *static_cast<const Target*>(data);
  if (const std::string* value = find(x, target.name)) {
    out += *value;
    return true;
  }
  return target.before && target.before->get(x, {}, target.before->data, out);
}

void Assignment::define(VariableTable& variables) {
  std::string_view rest;
  const Variable* known = variables.find(target_->name, &rest);
  if (known && !known->prefix) {
    set_ = known->set;
    if (set_ || known->get == get) return;
    target_->before = known;
  }
  Variable variable;
  variable.name = target_->name;
  variable.get = get;
  variable.data = target_.get();
  variables.define_changeable(std::move(variable));
}

Assignment::Assignment(const Invocation& in) : target_(std::make_shared<Target>()) {
  const std::string& word = in.arg(0);
  if (word.size() < 2 || word[0] != '$') throw ConfigError("invalid variable name \"" + word + "\"");
  target_->name = lower(word.substr(1));
  define(in.binder.variables());
  value_ = in.compile(in.arg(1));
}

void Assignment::run(Exchange& x, Exchange& asked) const {
  std::string value = value_.eval(asked);
  if (set_) set_(x, value);
  else if (std::string* known = find(x, target_->name)) *known = std::move(value);
  else x.named_captures.emplace_back(target_->name, std::move(value));
}

}  // namespace seawall::auth_request
