#include "seawall/tls/hardware.h"

#include <openssl/crypto.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace seawall {
namespace {

// What OpenSSL has found, or was told (OPENSSL_ia32cap, OPENSSL_armcap in the environment): "OPENSSL_...cap=0x...:0x...".
std::uint64_t capabilities() {
  const char* const text = OPENSSL_info(OPENSSL_INFO_CPU_SETTINGS);
  const char* const sign = text ? std::strchr(text, '=') : nullptr;
  return sign ? std::strtoull(sign + 1, nullptr, 16) : 0;
}

[[maybe_unused]] bool has(std::uint64_t bits) { return (capabilities() & bits) == bits; }

}  // namespace

std::string aes_hardware() {
#if defined(__x86_64__)
  constexpr std::uint64_t kAes = std::uint64_t{1} << 57, kCarryless = std::uint64_t{1} << 33;  // CPUID.1:ECX behind EDX
  return has(kAes | kCarryless) ? "AES-NI PCLMULQDQ" : "";
#elif defined(__aarch64__)
  constexpr std::uint64_t kAes = 1 << 2, kCarryless = 1 << 5;  // ARMV8_AES, ARMV8_PMULL of OpenSSL's arm_arch.h
  return has(kAes | kCarryless) ? "AES PMULL" : "";
#else
  return "";
#endif
}

}  // namespace seawall
