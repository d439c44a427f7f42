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

// Not as in other values: "$10" names a variable of two digits, and "$" at the end is an error of its own.
void Format::compile(const std::string& word, const Place& place) {
  for (std::size_t at = 0; at < word.size();) {
    const std::size_t dollar = word.find('$', at);
    if (dollar != at) {
      parts_.push_back({-1, word.substr(at, dollar - at)});
      if (dollar == std::string::npos) return;
    }
    const bool braced = dollar + 1 < word.size() && word[dollar + 1] == '{';
    const std::size_t from = dollar + (braced ? 2 : 1);
    const std::size_t end = static_cast<std::size_t>(
        std::find_if_not(word.begin() + static_cast<std::ptrdiff_t>(std::min(from, word.size())), word.end(), is_name_byte) - word.begin());
    const std::string name = from < word.size() ? word.substr(from, end - from) : std::string();
    if (braced && from < word.size() && (end == word.size() || word[end] != '}'))
      throw ConfigError("the closing bracket in \"" + name + "\" variable is missing");
    if (name.empty()) throw ConfigError("invalid parameter \"" + word.substr(dollar) + "\"");
    parts_.push_back({variables_.refer(name, place), {}});
    at = braced ? end + 1 : end;
  }
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
