// OpenSSL's allocations where a profiler can see them (base/allocation.h). Called before OpenSSL allocates anything.
#pragma once

namespace seawall {

void watch_openssl_memory();

}  // namespace seawall
