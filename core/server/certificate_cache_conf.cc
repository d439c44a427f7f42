#include "seawall/server/certificate_cache_conf.h"

#include <chrono>
#include <optional>

#include "seawall/base/text.h"

namespace seawall {

std::shared_ptr<CertificateCache> parse_certificate_cache(const Invocation& in) {
  std::optional<std::uint64_t> max;
  std::optional<std::chrono::milliseconds> inactive = std::chrono::seconds(10), valid = std::chrono::seconds(60);
  for (const std::string& word : in.args()) {
    if (word == "off") return nullptr;
    bool known = true;
    if (word.starts_with("max=")) known = (max = parse_decimal(word.substr(4))).value_or(0) > 0;
    else if (word.starts_with("inactive=")) known = (inactive = time_of(word.substr(9))).has_value();
    else if (word.starts_with("valid=")) known = (valid = time_of(word.substr(6))).has_value();
    else known = false;
    if (!known) throw ConfigError("invalid parameter \"" + word + "\"");
  }
  if (!max) throw ConfigError("\"" + in.node.name + "\" must have the \"max\" parameter");
  return std::make_shared<CertificateCache>(static_cast<std::size_t>(*max), *inactive, *valid);
}

}  // namespace seawall
