// nginx's tokens: words (quotes and escapes resolved), { } and ;. Start-up thread.
#pragma once
#include <string>
#include <string_view>

#include "seawall/config/tree.h"

namespace seawall {

class Token {
 public:
  enum Kind { word, open, close, semicolon, end } kind = end;
  std::string text;
  bool quoted = false;
  int line = 0;
};

class Lexer {
 public:
  // `file` is for messages; both must outlive the Lexer.
  Lexer(std::string_view text, const std::string* file) : text_(text), file_(file) {}
  Token next();
  // After the '{' of a Lua block: its text up to the matching '}', strings, long brackets and comments respected.
  std::string lua_block();
  Place place(int line) const { return Place{file_, line}; }
  [[noreturn]] void fail(const std::string& message, int line) const;

 private:
  bool at_end() const { return at_ >= text_.size(); }
  char peek() const { return text_[at_]; }
  char take();
  void skip_space();
  Token plain_word(Token token);
  Token quoted_word(Token token, char quote);
  void append_escape(std::string& out);
  void skip_lua_string(char quote);
  bool skip_lua_long_bracket();
  void skip_lua_comment();

  std::string_view text_;
  const std::string* file_;
  std::size_t at_ = 0;
  int line_ = 1;
};

}  // namespace seawall
