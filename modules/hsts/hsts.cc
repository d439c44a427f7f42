// The hsts module: tells browsers to come over TLS from now on (Strict-Transport-Security, RFC 6797). Settings are read by every
// loop.
#include <openssl/x509v3.h>

#include "seawall/base/text.h"
#include "seawall/module/module.h"
#include "seawall/tls/tls_stream.h"

namespace seawall::hsts {

constexpr std::int64_t kYear = 31'536'000;  // seconds; what the lists of browsers ask for at least
constexpr const char* kField = "Strict-Transport-Security";

class Conf {
 public:
  Setting<std::string> value{std::string()};  // the field's; empty: none
};

namespace {

std::int64_t seconds_of(const std::string& word) {
  const auto time = time_of(word);
  if (!time) throw ConfigError("invalid parameter \"" + word + "\"");
  return std::chrono::duration_cast<std::chrono::seconds>(*time).count();
}

// [max-age] [includeSubDomains] [preload], in this order or another.
std::string parse(const Invocation& in) {
  if (in.args().size() == 1 && in.arg(0) == "off") return {};
  std::int64_t age = kYear;
  bool aged = false, subdomains = false, preload = false;
  const auto once = [](bool& flag, const std::string& word) {
    if (std::exchange(flag, true)) throw ConfigError("duplicate parameter \"" + word + "\"");
  };
  for (const std::string& word : in.args()) {
    if (equals_ignoring_case(word, "includeSubDomains")) {
      once(subdomains, word);
    } else if (word == "preload") {
      once(preload, word);
    } else {
      age = seconds_of(word);
      once(aged, word);
    }
  }
  if (preload && (!subdomains || age < kYear))
    throw ConfigError("\"preload\" needs \"includeSubDomains\" and a max-age of a year, or no browser's list takes the site");
  return "max-age=" + std::to_string(age) + (subdomains ? "; includeSubDomains" : "") + (preload ? "; preload" : "");
}

bool is_on(const Conf& conf) { return !conf.value->empty(); }

// Its visitors could not pass the warning any more. One that is loaded for each connection is not known when a session is resumed.
bool is_self_signed(const TlsStream& tls) {
  X509* const own = SSL_get_certificate(tls.ssl());
  return own && (X509_get_extension_flags(own) & EXFLAG_SS) != 0;
}

// In place of what a back end or add_header say: twice would be none (RFC 6797 6.1), and what we may not say here they may not say
// through us (7.2).
Result<void> add_field(Exchange& x, Response& response, const Conf& conf) {
  response.headers.remove(kField);
  const TlsStream* const tls = x.connection.tls;
  if (!tls || tls->is_plain() || is_self_signed(*tls)) return {};
  response.headers.add_view(kField, *conf.value, FieldId::other);
  return {};
}

}  // namespace

class Hsts {
 public:
  using Conf = hsts::Conf;
  static constexpr const char* name = "hsts";
  static constexpr const char* summary = "Strict-Transport-Security";
  static inline const Directive directives[] = {
      directive<Conf, std::string>("hsts", kAllHttp, 0, 3, "[max-age] [includeSubDomains] [preload] | off", &Conf::value, parse,
                                   "Browsers come over TLS alone for so long, a year without a time; 0 makes them forget it (ours).",
                                   "off"),
  };
  // Behind the fields of others, whatever adds them.
  static constexpr Filter filters[] = {filter<Conf, is_on, add_field>(FilterStage::range)};
};

}  // namespace seawall::hsts

using seawall::hsts::Hsts;
SEAWALL_MODULE(Hsts)
