// The cookie that carries a uid: how its settings are written and how it is. Any loop.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "seawall/config/directive.h"

namespace seawall::userid {

// userid_flags
class Flags {
 public:
  bool secure = false, httponly = false;
  std::string same_site;  // "" : not told
};

// userid_expires
class Expires {
 public:
  bool max = false;
  std::chrono::seconds time{0};  // 0: with the browser's session
};

// One occurrence of it, added to what the level says already.
void add_flags(Flags& flags, const Invocation& in);
Expires parse_expires(const Invocation& in);

// Everything of Set-Cookie behind NAME=VALUE.
std::string attributes(const Expires& expires, std::string_view domain, std::string_view path, const Flags& flags);

}  // namespace seawall::userid
