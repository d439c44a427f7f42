// Whether OpenSSL encrypts in constant time and fast here: AES and carry-less multiplication in hardware (B9). Any thread.
#pragma once
#include <string>

#include "seawall/base/export.h"

namespace seawall {

// "AES-NI PCLMULQDQ", "AES PMULL"; empty: there is neither or not both, and AES is done by table look-ups or slowly.
SEAWALL_API std::string aes_hardware();

}  // namespace seawall
