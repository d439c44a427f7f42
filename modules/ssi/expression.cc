#include "expression.h"

#include "seawall/base/text.h"

namespace seawall::ssi {
namespace {

bool is_name(char c) { return is_alpha(c) || is_digit(c) || c == '_'; }

// $name or ${name} at the front, which is then behind it.
std::string take_name(std::string_view& text) {
  const std::string_view whole = text;
  text.remove_prefix(1);
  const bool braces = text.starts_with('{');
  if (braces) text.remove_prefix(1);
  std::size_t n = 0;
  while (n < text.size() && is_name(text[n])) ++n;
  std::string name = lower(text.substr(0, n));
  text.remove_prefix(n);
  if (braces && !text.starts_with('}')) throw CommandError("the closing bracket in \"" + name + "\" variable is missing");
  if (braces) text.remove_prefix(1);
  if (name.empty()) throw CommandError("invalid variable name in \"" + std::string(whole) + "\"");
  return name;
}

// The text behind the operator, and which one it was; nothing: an expression without one.
class Comparison {
 public:
  std::string_view left, right;
  bool compares = false, negated = false, regex = false;
};

Comparison take_apart(std::string_view expression) {
  Comparison c;
  std::size_t n = 0;
  const auto belongs = [](char b) { return is_name(b) || b == '$' || b == '{' || b == '}' || b == '"' || b == '\''; };
  while (n < expression.size() && belongs(expression[n])) ++n;
  c.left = expression.substr(0, n);
  std::string_view rest = trim(expression.substr(n));
  if (rest.empty()) return c;
  c.compares = true;
  c.negated = rest.starts_with("!=");
  if (!c.negated && !rest.starts_with('=')) throw CommandError("invalid expression in \"" + std::string(expression) + "\"");
  rest.remove_prefix(c.negated ? 2 : 1);
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  c.regex = rest.size() > 1 && rest[0] == '/';
  if (c.regex && !rest.ends_with('/')) throw CommandError("invalid expression in \"" + std::string(expression) + "\"");
  if (c.regex) rest = rest.substr(1, rest.size() - 2);
  else if (rest.starts_with("\\/")) rest.remove_prefix(1);
  c.right = rest;
  return c;
}

bool matches(Exchange& x, const std::string& pattern, const std::string& text) {
  std::shared_ptr<const Regex> regex;
  try {
    regex = Regex::compile(pattern);
  } catch (const ConfigError& error) {
    throw CommandError(error.what());
  }
  State& state = x.main().state<Ssi>();
  if (regex->match(text, &state.captures) != Regex::Outcome::matched) return false;
  for (const auto& [name, group] : regex->names())
    if (!state.put(state.variables, name, std::string(state.captures.get(group)))) throw CommandError(kTooMuch);
  return true;
}

}  // namespace

std::optional<std::string> variable(Exchange& x, const Conf& conf, const std::string& name) {
  const State& state = x.main().state<Ssi>();
  if (name.size() == 1 && is_digit(name[0])) return std::string(state.captures.get(name[0] - '0'));
  if (const auto found = state.variables.find(name); found != state.variables.end()) return found->second;
  std::string_view rest;
  const Variable* server = conf.variables ? conf.variables->find(name, &rest) : nullptr;
  std::string value;
  if (!server || !server->get(x, rest, server->data, value)) return std::nullopt;
  return value;
}

std::string evaluate(Exchange& x, const Conf& conf, std::string_view text) {
  std::string value;
  while (!text.empty()) {
    if (value.size() > kLargestValue) throw CommandError("too long a value in an SSI command");
    if (text[0] == '$') {
      value += variable(x, conf, take_name(text)).value_or("");
      continue;
    }
    const bool escapes = text[0] == '\\' && text.size() > 1;
    if (escapes) {
      if (std::string_view("\\'\"$").find(text[1]) == std::string_view::npos) value += '\\';
      text.remove_prefix(1);
    }
    value += text[0];
    text.remove_prefix(1);
  }
  if (value.size() > kLargestValue) throw CommandError("too long a value in an SSI command");
  return value;
}

bool holds(Exchange& x, const Conf& conf, std::string_view expression) {
  const Comparison c = take_apart(expression);
  const std::string left = evaluate(x, conf, c.left);
  if (!c.compares) return !left.empty();
  const std::string right = evaluate(x, conf, c.right);
  return (c.regex ? matches(x, right, left) : left == right) != c.negated;
}

}  // namespace seawall::ssi
