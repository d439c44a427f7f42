// Set-Cookie of an upstream as the client gets it: proxy_cookie_domain, proxy_cookie_path, proxy_cookie_flags. Any loop.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "seawall/module/module.h"

namespace seawall::proxy {

class Conf;

// proxy_cookie_flags: which attributes the cookies of a name have.
class CookieFlags {
 public:
  class Rule {
   public:
    std::shared_ptr<const Regex> regex;  // of the name, or
    Template name;
    std::vector<Template> flags;         // secure, nosecure, httponly, nohttponly, samesite=..., nosamesite
  };
  bool off = false;
  std::vector<Rule> rules;
};

void append_cookie_flags(CookieFlags& to, const Invocation& in);

// True: `out` is what the client gets.
bool rewrite_cookie(Exchange& x, const Conf& conf, std::string_view value, std::string& out);

}  // namespace seawall::proxy
