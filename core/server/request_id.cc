#include "seawall/server/request_id.h"

#include <openssl/rand.h>

#include "seawall/base/check.h"
#include "seawall/base/hex.h"
#include "seawall/server/exchange.h"

namespace seawall {
namespace {

constexpr VariableRow key{"request_id", nullptr};

}  // namespace

std::string request_id(Exchange& x) {
  auto& kept = x.main().cached_variables;
  for (const Exchange::Cached& known : kept)
    if (known.row == &key) return known.value;
  unsigned char bytes[16];
  CHECK(RAND_bytes(bytes, sizeof bytes) == 1);
  kept.push_back({&key, hex_of(bytes), true});
  return kept.back().value;
}

}  // namespace seawall
