#include "seawall/tls/hardware.h"

#if defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace seawall {

std::string aes_hardware() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul") ? "AES-NI PCLMULQDQ" : "";
#elif defined(__aarch64__)
  constexpr unsigned long both = HWCAP_AES | HWCAP_PMULL;
  return (::getauxval(AT_HWCAP) & both) == both ? "AES PMULL" : "";
#else
  return "";
#endif
}

}  // namespace seawall
