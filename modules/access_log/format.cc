#include "format.h"

#include <algorithm>

#include "seawall/base/text.h"

namespace seawall::access_log {
namespace {

constexpr char kHex[] = "0123456789ABCDEF";

Format::Escape escape_of(const std::string& word) {
  const std::string name = word.substr(7);
  if (name == "json") return Format::Escape::json;
  if (name == "none") return Format::Escape::none;
  if (name != "default") throw ConfigError("unknown log format escaping \"" + name + "\"");
  return Format::Escape::standard;
}

bool is_name_byte(char c) { return is_alpha(c) || is_digit(c) || c == '_'; }

// Nothing in a value may end the quotes it stands in or the line.
bool is_unsafe(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte >= 0x7f || c == '"' || c == '\\';
}

bool is_unsafe_in_json(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; }

void append_byte(char c, std::string& out) {
  const auto byte = static_cast<unsigned char>(c);
  out.append({'\\', 'x', kHex[byte >> 4], kHex[byte & 15]});
}

void append_byte_in_json(char c, std::string& out) {
  const auto byte = static_cast<unsigned char>(c);
  out += '\\';
  switch (c) {
    case '"': case '\\': out += c; return;
    case '\n': out += 'n'; return;
    case '\r': out += 'r'; return;
    case '\t': out += 't'; return;
    case '\b': out += 'b'; return;
    case '\f': out += 'f'; return;
    default: out.append({'u', '0', '0', kHex[byte >> 4], kHex[byte & 15]});
  }
}

// Escapes what line has from `from` on. Most values need nothing.
void escape(std::string& line, std::size_t from, bool (*unsafe)(char), void (*append)(char, std::string&)) {
  if (std::none_of(line.begin() + static_cast<std::ptrdiff_t>(from), line.end(), unsafe)) return;
  const std::string value = line.substr(from);
  line.resize(from);
  for (const char c : value) {
    if (unsafe(c)) append(c, line);
    else line += c;
  }
}

}  // namespace

Format::Format(std::span<const std::string> words, VariableTable& variables, const Place& place) : variables_(variables) {
  if (!words.empty() && words.front().starts_with("escape=")) {
    escape_ = escape_of(words.front());
    words = words.subspan(1);
  }
  for (const std::string& word : words) compile(word, place);
}

void Format::compile(std::string_view rest, const Place& place) {
  while (!rest.empty()) {
    const std::size_t dollar = std::min(rest.find('$'), rest.size());
    if (dollar > 0) parts_.push_back({-1, std::string(rest.substr(0, dollar))});
    rest.remove_prefix(dollar);
    if (!rest.empty()) rest = compile_variable(rest, place);
  }
}

// Not as in other values: "$10" names a variable of two digits, and a "$" without a name is an error of its own.
std::string_view Format::compile_variable(std::string_view rest, const Place& place) {
  const bool braced = rest.substr(1).starts_with('{');
  const std::string_view from = rest.substr(braced ? 2 : 1);
  const auto size = static_cast<std::size_t>(std::find_if_not(from.begin(), from.end(), is_name_byte) - from.begin());
  const std::string_view name = from.substr(0, size);
  if (braced && !from.empty() && !from.substr(size).starts_with('}'))
    throw ConfigError("the closing bracket in \"" + std::string(name) + "\" variable is missing");
  if (name.empty()) throw ConfigError("invalid parameter \"" + std::string(rest) + "\"");
  parts_.push_back({variables_.refer(name, place), {}});
  return from.substr(braced ? size + 1 : size);
}

void Format::append(Exchange& x, std::string& line) const {
  for (const Part& part : parts_) {
    if (part.variable < 0) line += part.text;
    else append_variable(x, part.variable, line);
  }
}

void Format::append_variable(Exchange& x, int variable, std::string& line) const {
  const std::size_t from = line.size();
  if (!variables_.get(variable, x, line)) {
    line.resize(from);
    if (escape_ == Escape::standard) line += '-';
    return;
  }
  if (escape_ == Escape::standard) escape(line, from, is_unsafe, append_byte);
  else if (escape_ == Escape::json) escape(line, from, is_unsafe_in_json, append_byte_in_json);
}

}  // namespace seawall::access_log
