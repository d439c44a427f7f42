// Parser: takes a page, piece by piece, apart into text and commands. What may be the beginning of a command is kept back until
// the next piece. One loop.
#pragma once
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace seawall::ssi {

class Token {
 public:
  enum class Kind { text, command, broken };
  Kind kind = Kind::text;
  std::string text;     // as it stands in the page, of all kinds
  std::string command;  // its name
  std::vector<std::pair<std::string, std::string>> parameters;
};

class Parser {
 public:
  void add(std::string_view text, bool last, std::deque<Token>& tokens);

 private:
  std::string kept_;
};

}  // namespace seawall::ssi
