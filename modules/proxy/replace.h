// proxy_redirect, proxy_cookie_domain and proxy_cookie_path: texts of the upstream's world that become texts of ours. Made at
// start-up, used on any loop.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "seawall/module/module.h"

namespace seawall::proxy {

class Replacement {
 public:
  enum class Kind : std::uint8_t { prefix, domain, regex };
  Kind kind = Kind::prefix;
  bool is_default = false;     // what proxy_pass says itself
  Template pattern;
  std::shared_ptr<const Regex> regex;
  Template by;
  // True: `value` has become another.
  bool apply(Exchange& x, std::string& value) const;
};

class Replacements {
 public:
  bool off = false;
  std::vector<Replacement> all;
  bool apply(Exchange& x, std::string& value) const;  // the first that fits
};

// Rows' parsers; ConfigError in nginx's words.
void append_redirect(Replacements& to, const Invocation& in);
void append_cookie_domain(Replacements& to, const Invocation& in);
void append_cookie_path(Replacements& to, const Invocation& in);

// True: `out` is what the client gets.
bool rewrite_location(Exchange& x, const Replacements& redirects, std::string_view value, std::string& out);
bool rewrite_refresh(Exchange& x, const Replacements& redirects, std::string_view value, std::string& out);

}  // namespace seawall::proxy
