// Would TLS serve this certificate with this key? As a context takes them: a key too small, or a hash too weak, for OpenSSL's level of
// security shows only there. Any thread. TlsError says why not.
#pragma once
#include "seawall/base/export.h"
#include "seawall/tls/given_certificate.h"

namespace seawall {

SEAWALL_API void check_pair(const GivenCertificate::Pair& pair);

}  // namespace seawall
