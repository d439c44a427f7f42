#include "seawall/http/singular.h"

#include "seawall/base/text.h"

namespace seawall {

bool repeats_singular(const Headers& request) {
  constexpr FieldId once[] = {FieldId::host, FieldId::content_length, FieldId::transfer_encoding, FieldId::content_range, FieldId::expect,
                              FieldId::authorization, FieldId::if_match, FieldId::if_modified_since, FieldId::if_none_match,
                              FieldId::if_range, FieldId::if_unmodified_since};
  for (const FieldId id : once)
    if (request.has(id) && request.count(id) > 1) return true;
  int proxy_authorizations = 0;
  for (const Field& field : request.all())
    if (field.id == FieldId::other && equals_ignoring_case(field.name, "Proxy-Authorization")) ++proxy_authorizations;
  return proxy_authorizations > 1;
}

}  // namespace seawall
