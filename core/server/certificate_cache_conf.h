// "max=N [inactive=TIME] [valid=TIME] | off": what ssl_certificate_cache and its kin say. Start-up thread.
#pragma once
#include <memory>

#include "seawall/base/export.h"
#include "seawall/config/directive.h"
#include "seawall/tls/certificate_cache.h"

namespace seawall {

inline constexpr const char* kCertificateCacheKind = "off | max=n [inactive=time] [valid=time]";
// Null: off.
SEAWALL_API std::shared_ptr<CertificateCache> parse_certificate_cache(const Invocation& in);

}  // namespace seawall
