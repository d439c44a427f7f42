#include "parser.h"

#include <algorithm>
#include <optional>

#include "seawall/base/text.h"

namespace seawall::ssi {
namespace {

constexpr std::string_view kBegin = "<!--#", kEnd = "-->";
// A command that has not ended after so much is none: a page may not fill the memory.
constexpr std::size_t kLongest = 64 * 1024;

void push_text(std::deque<Token>& tokens, std::string_view text) {
  if (text.empty()) return;
  Token token;
  token.text = text;
  tokens.push_back(std::move(token));
}

// Where the command at the front ends, quotes respected: behind "-->". npos: not in this text.
std::size_t end_of(std::string_view text) {
  char quote = '\0';
  for (std::size_t i = kBegin.size(); i < text.size(); ++i) {
    const char c = text[i];
    if (quote != '\0' && c == '\\') ++i;
    else if (quote != '\0') quote = c == quote ? '\0' : quote;
    else if (c == '"' || c == '\'') quote = c;
    else if (text.substr(i).starts_with(kEnd)) return i + kEnd.size();
  }
  return std::string_view::npos;
}

// How much of the end of `text` may be the beginning of "<!--#".
std::size_t beginning_at_end(std::string_view text) {
  for (std::size_t n = std::min(text.size(), kBegin.size() - 1); n > 0; --n)
    if (text.ends_with(kBegin.substr(0, n))) return n;
  return 0;
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

void skip_spaces(std::string_view& text) {
  while (!text.empty() && is_space(text[0])) text.remove_prefix(1);
}

std::string take_word(std::string_view& text) {
  std::size_t n = 0;
  while (n < text.size() && (is_alpha(text[n]) || is_digit(text[n]) || text[n] == '_')) ++n;
  const std::string word = lower(text.substr(0, n));
  text.remove_prefix(n);
  return word;
}

// "VALUE" or 'VALUE', backslashes as they are. Nothing: it is no value.
std::optional<std::string> take_value(std::string_view& text) {
  if (text.empty() || (text[0] != '"' && text[0] != '\'')) return std::nullopt;
  std::size_t i = 1;
  while (i < text.size() && text[i] != text[0]) i += text[i] == '\\' ? 2 : 1;
  if (i >= text.size()) return std::nullopt;
  std::string value(text.substr(1, i - 1));
  text.remove_prefix(i + 1);
  return value;
}

Token parse_command(std::string_view whole) {
  Token token;
  token.kind = Token::Kind::broken;
  token.text = whole;
  std::string_view rest = whole.substr(kBegin.size(), whole.size() - kBegin.size() - kEnd.size());
  skip_spaces(rest);
  token.command = take_word(rest);
  for (skip_spaces(rest); !rest.empty(); skip_spaces(rest)) {
    std::string name = take_word(rest);
    skip_spaces(rest);
    if (name.empty() || !rest.starts_with('=')) return token;
    rest.remove_prefix(1);
    skip_spaces(rest);
    auto value = take_value(rest);
    if (!value) return token;
    token.parameters.emplace_back(std::move(name), std::move(*value));
  }
  if (!token.command.empty()) token.kind = Token::Kind::command;
  return token;
}

}  // namespace

void Parser::add(std::string_view text, bool last, std::deque<Token>& tokens) {
  std::string joined;
  if (!kept_.empty()) {
    joined = std::move(kept_);
    kept_.clear();
    joined += text;
    text = joined;
  }
  for (;;) {
    const auto at = text.find(kBegin);
    if (at == std::string_view::npos) break;
    push_text(tokens, text.substr(0, at));
    text.remove_prefix(at);
    const auto end = end_of(text.substr(0, kLongest));
    if (end == std::string_view::npos && !last && text.size() < kLongest) {
      kept_ = text;
      return;
    }
    // A command without an end has swallowed what stands behind it. To look for others in there would look at all of it again.
    if (end == std::string_view::npos) {
      const std::string_view swallowed = text.substr(0, kLongest);
      push_text(tokens, swallowed);
      text.remove_prefix(swallowed.size());
      continue;
    }
    tokens.push_back(parse_command(text.substr(0, end)));
    text.remove_prefix(end);
  }
  const std::size_t keep = last ? 0 : beginning_at_end(text);
  push_text(tokens, text.substr(0, text.size() - keep));
  kept_ = text.substr(text.size() - keep);
}

}  // namespace seawall::ssi
