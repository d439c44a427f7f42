// Condition: what stands in the brackets of `if`. Compiled at start-up, asked on any loop.
//   (value) (value = text) (value != text) (value ~ regex) and ~* !~ !~*, (-f path) and -d -e -x with ! in front
#pragma once
#include <memory>

#include "instruction.h"
#include "seawall/config/regex.h"
#include "seawall/config/template.h"

namespace seawall::rewrite {

class Condition {
 public:
  // Of the directive's words, brackets and all. ConfigError: invalid condition "WORD"; unexpected "WORD" in condition; what
  // Regex::compile throws.
  explicit Condition(const Invocation& in);

  enum class Answer { yes, no, failed };
  // failed: a regex has hit its match limit, and the error log says so. A regex that matches leaves its captures.
  Answer ask(Exchange& x) const;

 private:
  enum class Kind { is_true, equals, matches, is_file, is_folder, exists, is_executable };
  void read_comparison(const Invocation& in, const std::vector<std::string>& words);
  void read_file_test(const Invocation& in, const std::vector<std::string>& words);
  Answer match(Exchange& x, const std::string& value) const;
  bool test_path(Exchange& x, const std::string& path) const;

  Kind kind_ = Kind::is_true;
  bool negated_ = false;
  Template value_, other_;
  std::shared_ptr<const Regex> regex_;
};

}  // namespace seawall::rewrite
