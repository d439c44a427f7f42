#include "seawall/config/template.h"

#include <utility>

#include "seawall/base/text.h"
#include "seawall/config/variable.h"

namespace seawall {
namespace {

bool is_name_byte(char c) { return is_alpha(c) || is_digit(c) || c == '_'; }

}  // namespace

Template Template::literal(std::string text) {
  Template t;
  t.source_ = text;
  if (!text.empty()) t.parts_.push_back({-1, std::move(text)});
  return t;
}

Template Template::compile(std::string_view text, VariableTable& variables, const Place& place) {
  Template t;
  t.source_ = text;
  t.variables_ = &variables;
  std::string pending;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$') {
      pending += text[i];
      continue;
    }
    std::size_t from = i + 1;
    const bool braced = from < text.size() && text[from] == '{';
    if (braced) ++from;
    std::size_t end = from;
    // $1 is one digit: "$10" is capture 1 and a zero.
    if (end < text.size() && text[end] >= '1' && text[end] <= '9') ++end;
    else while (end < text.size() && is_name_byte(text[end])) ++end;
    if (braced && (end >= text.size() || text[end] != '}'))
      throw ConfigError("the closing bracket in \"" + std::string(text.substr(from, end - from)) + "\" variable is missing");
    if (end == from) throw ConfigError("invalid variable name");
    if (!pending.empty()) t.parts_.push_back({-1, std::exchange(pending, std::string())});
    t.parts_.push_back({variables.refer(text.substr(from, end - from), place), {}});
    t.literal_ = false;
    i = braced ? end : end - 1;
  }
  if (!pending.empty()) t.parts_.push_back({-1, std::move(pending)});
  return t;
}

void Template::append(Exchange& x, std::string& out) const {
  for (const Part& part : parts_) {
    if (part.reference < 0) out += part.text;
    else variables_->get(part.reference, x, out);
  }
}

std::string Template::eval(Exchange& x) const {
  std::string out;
  append(x, out);
  return out;
}

}  // namespace seawall
