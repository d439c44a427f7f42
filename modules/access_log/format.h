// Format: what log_format says a line is made of. Made at start-up, used on any loop.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "seawall/config/tree.h"
#include "seawall/config/variable.h"

namespace seawall::access_log {

class Format {
 public:
  // How values of variables are written; text of the format itself never changes.
  //   standard: '"', '\', controls and everything from 0x7F on as \xHH; a value that is not found is "-"
  //   json: as in a JSON string; not found: nothing
  //   none: as it is; not found: nothing
  enum class Escape { standard, json, none };

  // The words of log_format behind the name: [escape=WORD] TEXT ... ConfigError in nginx's wording.
  Format(std::span<const std::string> words, VariableTable& variables, const Place& place);

  // Appends the line, without its end.
  void append(Exchange& x, std::string& line) const;

 private:
  struct Part {
    int variable;      // a reference of the table; -1: text
    std::string text;
  };
  void compile(std::string_view rest, const Place& place);
  std::string_view compile_variable(std::string_view rest, const Place& place);  // what follows it
  void append_variable(Exchange& x, int variable, std::string& line) const;

  VariableTable& variables_;
  Escape escape_ = Escape::standard;
  std::vector<Part> parts_;
};

}  // namespace seawall::access_log
