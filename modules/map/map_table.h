// MapTable: which value a map has for which text. Filled at start-up, asked on any loop.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "seawall/config/regex.h"
#include "seawall/config/template.h"
#include "seawall/config/variable.h"
#include "value_table.h"

namespace seawall::map {

class MapTable {
 public:
  bool hostnames = false;  // keys may be *.site.test, .site.test and www.site.*

  // ConfigError, nginx's wordings: conflicting parameter "KEY", invalid hostname or wildcard "KEY", duplicate default map
  // parameter; what Regex::compile throws.
  void add(const std::string& key, Template value, VariableTable& variables);

  // The value for `text`: exact in any case, then the longest *.name, then the longest name.*, then the regexes in order, then
  // the default. Null: there is none. A regex that matches leaves its captures in the request.
  const Template* find(Exchange& x, std::string_view text) const;
  bool has_regexes() const { return !regexes_.empty(); }

 private:
  class RegexValue {
   public:
    std::shared_ptr<const Regex> regex;
    Template value;
  };
  void add_exact(const std::string& key, const std::string& written, Template value);
  void add_hostname(const std::string& key, const std::string& written, Template value);
  const Template* find_hostname(std::string_view name) const;
  const Template* find_regex(Exchange& x, std::string_view text) const;

  ValueTable exact_;  // keys in lower case, as those below
  ValueTable heads_;  // of *.site.test: "site.test"
  ValueTable tails_;  // of www.site.*: "www.site"
  std::vector<RegexValue> regexes_;
  std::optional<Template> default_;
};

}  // namespace seawall::map
