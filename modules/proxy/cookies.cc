#include "cookies.h"

#include <algorithm>
#include <optional>

#include "conf.h"
#include "seawall/base/text.h"

namespace seawall::proxy {
namespace {

// name=value; Attribute=value; Attribute
class Attribute {
 public:
  std::string name;
  std::optional<std::string> value;
};

std::string_view without_spaces(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::vector<Attribute> parse(std::string_view text) {
  std::vector<Attribute> all;
  for (;;) {
    const auto end = std::min(text.find(';'), text.size());
    const std::string_view part = text.substr(0, end);
    const auto equals = part.find('=');
    Attribute& attribute = all.emplace_back();
    attribute.name = without_spaces(part.substr(0, equals));
    if (equals != std::string_view::npos) attribute.value = std::string(without_spaces(part.substr(equals + 1)));
    if (end == text.size()) return all;
    text.remove_prefix(end + 1);
  }
}

std::string compose(const std::vector<Attribute>& all) {
  std::string text;
  for (const Attribute& attribute : all) {
    if (!text.empty()) text += "; ";
    text += attribute.name;
    if (attribute.value) text.append("=").append(*attribute.value);
  }
  return text;
}

// The attribute as the flag wants it: there once, or not at all.
void set_attribute(std::vector<Attribute>& all, std::string_view name, std::optional<std::string> value, bool present) {
  const auto from = all.begin() + 1;
  const auto is_named = [&](const Attribute& a) { return equals_ignoring_case(a.name, name); };
  const auto found = std::find_if(from, all.end(), is_named);
  if (!present) {
    all.erase(std::remove_if(from, all.end(), is_named), all.end());
  } else if (found == all.end()) {
    Attribute& added = all.emplace_back();
    added.name = name;
    added.value = std::move(value);
  } else if (value && !(found->value && equals_ignoring_case(*found->value, *value))) {
    found->name = name;
    found->value = std::move(value);
  }
}

// False: no flag that anybody knows.
bool apply_flag(std::vector<Attribute>& all, std::string_view flag) {
  const auto is = [&](std::string_view word) { return equals_ignoring_case(flag, word); };
  if (is("secure") || is("nosecure")) set_attribute(all, "Secure", std::nullopt, is("secure"));
  else if (is("httponly") || is("nohttponly")) set_attribute(all, "HttpOnly", std::nullopt, is("httponly"));
  else if (is("samesite=strict")) set_attribute(all, "SameSite", "Strict", true);
  else if (is("samesite=lax")) set_attribute(all, "SameSite", "Lax", true);
  else if (is("samesite=none")) set_attribute(all, "SameSite", "None", true);
  else if (is("nosamesite")) set_attribute(all, "SameSite", std::nullopt, false);
  else return false;
  return true;
}

bool apply_flags(Exchange& x, const CookieFlags& flags, std::vector<Attribute>& all) {
  for (const CookieFlags::Rule& rule : flags.rules) {
    const std::string& name = all.front().name;
    const bool fits = rule.regex ? rule.regex->match(name, &x.captures) == Regex::Outcome::matched
                                 : equals_ignoring_case(rule.name.eval(x), name);
    if (!fits) continue;
    bool changed = false;
    for (const Template& flag : rule.flags) changed |= apply_flag(all, flag.eval(x));
    return changed;
  }
  return false;
}

}  // namespace

void append_cookie_flags(CookieFlags& to, const Invocation& in) {
  if (to.off) throw_duplicate("proxy_cookie_flags");
  if (in.args().size() == 1) {
    if (in.arg(0) != "off") throw ConfigError("invalid parameter \"" + in.arg(0) + "\"");
    if (!to.rules.empty()) throw_duplicate("proxy_cookie_flags");
    to.off = true;
    return;
  }
  CookieFlags::Rule& rule = to.rules.emplace_back();
  const std::string& word = in.arg(0);
  if (word.starts_with('~')) rule.regex = Regex::compile(word.substr(1), true);
  else rule.name = in.compile(word);
  for (std::size_t i = 1; i < in.args().size(); ++i) rule.flags.push_back(in.compile(in.arg(i)));
}

bool rewrite_cookie(Exchange& x, const Conf& conf, std::string_view value, std::string& out) {
  std::vector<Attribute> all = parse(value);
  if (!all.front().value) return false;
  bool changed = false;
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (!all[i].value) continue;
    if (equals_ignoring_case(all[i].name, "domain")) changed |= conf.cookie_domains->apply(x, *all[i].value);
    else if (equals_ignoring_case(all[i].name, "path")) changed |= conf.cookie_paths->apply(x, *all[i].value);
  }
  changed |= apply_flags(x, *conf.cookie_flags, all);
  if (changed) out = compose(all);
  return changed;
}

}  // namespace seawall::proxy
