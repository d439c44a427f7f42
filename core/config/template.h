// Template: a value with variables ("$scheme://$host$1${uri}"), compiled once, evaluated in one pass into an owned string.
// One pass on purpose: measuring in one and copying in a second is how a value that changes between them overruns.
// Immutable after start-up; any loop.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "seawall/base/export.h"
#include "seawall/config/tree.h"

namespace seawall {

class Exchange;
class VariableTable;

class SEAWALL_API Template {
 public:
  Template() = default;
  // ConfigError: invalid variable name (nginx's wording). $1..$9, captures of the last regex that matched, are variables
  // like any other: the core defines them.
  static Template compile(std::string_view text, VariableTable& variables, const Place& place);
  static Template literal(std::string text);

  bool is_literal() const { return literal_; }
  bool empty() const { return source_.empty(); }
  const std::string& source() const { return source_; }  // as written; the value itself when is_literal()
  void append(Exchange& x, std::string& out) const;
  std::string eval(Exchange& x) const;

 private:
  struct Part {
    int reference;     // into the VariableTable; -1 for text
    std::string text;
  };
  std::string source_;
  std::vector<Part> parts_;
  const VariableTable* variables_ = nullptr;
  bool literal_ = true;
};

}  // namespace seawall
