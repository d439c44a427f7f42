#include "seawall/config/lexer.h"

namespace seawall {
namespace {

constexpr std::size_t kLongestWord = 4096;  // nginx reads through a buffer of this size

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

}  // namespace

void Lexer::fail(const std::string& message, int line) const { throw ConfigError(message, place(line)); }

char Lexer::take() {
  const char c = text_[at_++];
  if (c == '\n') ++line_;
  return c;
}

void Lexer::skip_space() {
  while (!at_end()) {
    if (is_space(peek())) {
      take();
    } else if (peek() == '#') {
      while (!at_end() && peek() != '\n') take();
    } else {
      return;
    }
  }
}

Token Lexer::next() {
  skip_space();
  Token token;
  token.line = line_;
  if (at_end()) return token;
  const char c = peek();
  if (c == '{' || c == '}' || c == ';') {
    take();
    token.kind = c == '{' ? Token::open : c == '}' ? Token::close : Token::semicolon;
    return token;
  }
  token.kind = Token::word;
  if (c == '"' || c == '\'') {
    take();
    return quoted_word(std::move(token), c);
  }
  return plain_word(std::move(token));
}

// The escapes nginx resolves; any other backslash stays, for regexes.
void Lexer::append_escape(std::string& out) {
  if (at_end()) {
    out += '\\';
    return;
  }
  switch (const char c = peek()) {
    case '"': case '\'': case '\\': take(); out += c; return;
    case 't': take(); out += '\t'; return;
    case 'r': take(); out += '\r'; return;
    case 'n': take(); out += '\n'; return;
    default: out += '\\'; out += take();
  }
}

Token Lexer::plain_word(Token token) {
  bool variable = false;  // "${": its brace does not open a block
  while (!at_end()) {
    const char c = peek();
    if (is_space(c) || c == ';' || (c == '{' && !variable)) break;
    take();
    if (c == '\\') {
      append_escape(token.text);
      variable = false;
    } else {
      token.text += c;
      variable = c == '$';
    }
    if (token.text.size() > kLongestWord)
      fail("too long parameter \"" + token.text.substr(0, 10) + "...\" started", token.line);
  }
  return token;
}

Token Lexer::quoted_word(Token token, char quote) {
  token.quoted = true;
  for (;;) {
    if (at_end()) fail(std::string("unexpected end of file, expecting the closing ") + quote + " of a word", token.line);
    const char c = take();
    if (c == quote) break;
    if (c == '\\') append_escape(token.text);
    else token.text += c;
    if (token.text.size() > kLongestWord)
      fail("too long parameter, probably missing terminating \"" + std::string(1, quote) + "\" character", token.line);
  }
  if (!at_end() && !is_space(peek()) && peek() != ';' && peek() != '{' && peek() != ')')
    fail("unexpected \"" + std::string(1, peek()) + "\"", line_);
  // nginx takes `"text")` for a word and a parenthesis of `if`.
  return token;
}

void Lexer::skip_lua_string(char quote) {
  while (!at_end()) {
    const char c = take();
    if (c == '\\' && !at_end()) take();
    else if (c == quote || c == '\n') return;
  }
}

// [[ ]] and [=[ ]=]; false when this is no long bracket.
bool Lexer::skip_lua_long_bracket() {
  std::size_t level = 0;
  while (at_ + level < text_.size() && text_[at_ + level] == '=') ++level;
  if (at_ + level >= text_.size() || text_[at_ + level] != '[') return false;
  const std::string close = "]" + std::string(level, '=') + "]";
  const auto end = text_.find(close, at_ + level);
  if (end == std::string_view::npos) return false;
  while (at_ < end + close.size()) take();
  return true;
}

void Lexer::skip_lua_comment() {
  if (!at_end() && peek() == '[') {
    take();
    if (skip_lua_long_bracket()) return;
  }
  while (!at_end() && peek() != '\n') take();
}

std::string Lexer::lua_block() {
  const std::size_t from = at_;
  const int line = line_;
  for (int depth = 1; !at_end();) {
    const char c = take();
    if (c == '"' || c == '\'') skip_lua_string(c);
    else if (c == '[') skip_lua_long_bracket();
    else if (c == '-' && !at_end() && peek() == '-') { take(); skip_lua_comment(); }
    else if (c == '{') ++depth;
    else if (c == '}' && --depth == 0) return std::string(text_.substr(from, at_ - 1 - from));
  }
  fail("unexpected end of file, expecting the closing brace of the Lua block", line);
}

}  // namespace seawall
