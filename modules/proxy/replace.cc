#include "replace.h"

#include <algorithm>

#include "seawall/base/text.h"
#include "seawall/server/error_pages.h"

namespace seawall::proxy {
namespace {

// "off" or (of proxy_redirect) "default" alone; false: two words that say more.
bool read_word(Replacements& to, const Invocation& in, bool takes_default) {
  if (to.off) throw_duplicate(in.node.name.c_str());
  if (in.args().size() == 2) return false;
  if (in.arg(0) == "off") {
    if (!to.all.empty()) throw_duplicate(in.node.name.c_str());
    to.off = true;
    return true;
  }
  if (!takes_default || in.arg(0) != "default") throw ConfigError("invalid parameter \"" + in.arg(0) + "\"");
  to.all.emplace_back().is_default = true;
  return true;
}

// "~regex" or "~*regex".
bool read_regex(Replacement& one, std::string_view word) {
  if (!word.starts_with('~')) return false;
  const bool caseless = word.starts_with("~*");
  one.kind = Replacement::Kind::regex;
  one.regex = Regex::compile(std::string(word.substr(caseless ? 2 : 1)), caseless);
  return true;
}

}  // namespace

bool Replacement::apply(Exchange& x, std::string& value) const {
  if (kind == Kind::regex) {
    if (regex->match(value, &x.captures) != Regex::Outcome::matched) return false;
    value = by.eval(x);
    return true;
  }
  const std::string wanted = pattern.eval(x);
  if (kind == Kind::domain) {
    const std::string_view bare = std::string_view(value).substr(value.starts_with('.') ? 1 : 0);
    if (!equals_ignoring_case(bare, wanted)) return false;
    value = (value.starts_with('.') ? "." : "") + by.eval(x);
    return true;
  }
  if (!value.starts_with(wanted)) return false;
  value = by.eval(x) + value.substr(wanted.size());
  return true;
}

bool Replacements::apply(Exchange& x, std::string& value) const {
  return std::any_of(all.begin(), all.end(), [&](const Replacement& one) { return one.apply(x, value); });
}

void append_redirect(Replacements& to, const Invocation& in) {
  if (read_word(to, in, true)) return;
  Replacement& one = to.all.emplace_back();
  if (!read_regex(one, in.arg(0))) one.pattern = in.compile(in.arg(0));
  one.by = in.compile(in.arg(1));
}

void append_cookie_path(Replacements& to, const Invocation& in) {
  if (in.args().size() == 1 && in.arg(0) != "off") throw ConfigError("invalid parameter \"" + in.arg(0) + "\"");
  append_redirect(to, in);
}

void append_cookie_domain(Replacements& to, const Invocation& in) {
  if (read_word(to, in, false)) return;
  Replacement& one = to.all.emplace_back();
  const std::string& word = in.arg(0);
  std::string_view by = in.arg(1);
  if (word.starts_with('~')) {
    one.kind = Replacement::Kind::regex;
    one.regex = Regex::compile(word.substr(1), true);
  } else {
    one.kind = Replacement::Kind::domain;
    one.pattern = in.compile(std::string_view(word).substr(word.starts_with('.') ? 1 : 0));
    if (by.starts_with('.')) by.remove_prefix(1);
  }
  one.by = in.compile(by);
}

bool rewrite_location(Exchange& x, const Replacements& redirects, std::string_view value, std::string& out) {
  out = value;
  if (!redirects.apply(x, out)) return false;
  out = absolute_location(x, out);
  return true;
}

// "5; url=http://..."
bool rewrite_refresh(Exchange& x, const Replacements& redirects, std::string_view value, std::string& out) {
  const std::string small = lower(value);
  const auto at = small.find("url=");
  if (at == std::string::npos) return false;
  std::string url(value.substr(at + 4));
  if (!redirects.apply(x, url)) return false;
  out = std::string(value.substr(0, at + 4)) + url;
  return true;
}

}  // namespace seawall::proxy
