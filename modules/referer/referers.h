// The words of valid_referers. Made at start-up, asked on any loop.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "seawall/config/regex.h"

namespace seawall {
class Exchange;
}

namespace seawall::referer {

class Referers {
 public:
  // ConfigError in nginx's wordings.
  void add(const std::string& word);
  void check() const;  // none and blocked alone make no sense

  bool empty() const { return names_.empty() && regexes_.empty() && !none_ && !blocked_ && !server_names_; }
  // Is the request's Referer one of these?
  bool takes(const Exchange& x) const;

 private:
  class Name {
   public:
    std::string host;  // lower case; a wildcard with its '*'; ".site" stands for site and *.site
    std::string uri;   // how the path must begin; empty: any
  };
  bool takes_url(const Exchange& x, std::string_view without_scheme) const;
  const Name* find(std::string_view host) const;

  bool none_ = false, blocked_ = false, server_names_ = false;
  std::vector<Name> names_;
  std::vector<std::shared_ptr<const Regex>> regexes_;
};

}  // namespace seawall::referer
