#include "script_name.h"

namespace seawall::fastcgi {

SplitPath::SplitPath(const Invocation& in) : regex_(Regex::compile(in.arg(0))) {
  if (regex_->groups() < 2) throw ConfigError("pattern \"" + in.arg(0) + "\" must have 2 captures");
}

bool SplitPath::split(std::string_view uri, std::string& script, std::string& path_info) const {
  Captures captures;
  if (regex_->match(uri, &captures) != Regex::Outcome::matched) return false;
  script = captures.get(1);
  path_info = captures.get(2);
  return true;
}

}  // namespace seawall::fastcgi
