// Which part of a URI names a program and which is for it: fastcgi_split_path_info. Made at start-up, used on any loop.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "seawall/config/directive.h"
#include "seawall/config/regex.h"

namespace seawall::fastcgi {

class SplitPath {
 public:
  // ConfigError: pattern "X" must have 2 captures; what Regex::compile throws.
  explicit SplitPath(const Invocation& in);
  // False, and both as they were: the pattern does not match.
  bool split(std::string_view uri, std::string& script, std::string& path_info) const;

 private:
  std::shared_ptr<const Regex> regex_;
};

}  // namespace seawall::fastcgi
