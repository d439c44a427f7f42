// Registry: all that a configuration says of ACME. Made at start-up; but for tokens and certificates' contents immutable.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "certificate.h"
#include "challenges.h"

namespace seawall::acme {

class Registry {
 public:
  std::map<std::string, std::unique_ptr<Issuer>> issuers;
  std::vector<std::unique_ptr<Certificate>> certificates;
  bool has_plain = false;            // some address without TLS
  int plain_port = 0, tls_port = 0;  // 80 and 443, or what there is instead
  mutable Tokens tokens;

  Certificate* find(const std::string& id) const {
    for (const auto& one : certificates)
      if (one->id == id) return one.get();
    return nullptr;
  }
};

}  // namespace seawall::acme
