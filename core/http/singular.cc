#include "seawall/http/singular.h"

#include "seawall/base/text.h"

namespace seawall {

namespace {

constexpr std::uint64_t bit(FieldId id) { return 1ull << static_cast<unsigned>(id); }

constexpr std::uint64_t kOnce = [] {
  std::uint64_t bits = 0;
  for (const FieldId id : {FieldId::host, FieldId::content_length, FieldId::transfer_encoding, FieldId::content_range, FieldId::expect,
                           FieldId::authorization, FieldId::if_match, FieldId::if_modified_since, FieldId::if_none_match,
                           FieldId::if_range, FieldId::if_unmodified_since})
    bits |= bit(id);
  return bits;
}();

}  // namespace

bool repeats_singular(const Headers& request) {
  std::uint64_t seen = 0;
  bool proxy_authorization = false;
  for (const Field& field : request.all()) {
    if (field.id != FieldId::other) {
      if (seen & bit(field.id) & kOnce) return true;
      seen |= bit(field.id);
    } else if (field.name.size() == 19 && equals_ignoring_case(field.name, "Proxy-Authorization")) {
      if (proxy_authorization) return true;
      proxy_authorization = true;
    }
  }
  return false;
}

}  // namespace seawall
