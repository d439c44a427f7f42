// EndedFields: the fields of a message that its Connection says end here (RFC 9110 7.6.1). One that the server itself knows is not for
// the peer to take away: it may be another proxy's. Holds views of the message. Any thread.
#pragma once
#include <algorithm>
#include <string_view>
#include <vector>

#include "seawall/base/text.h"
#include "seawall/http/headers.h"

namespace seawall {

class EndedFields {
 public:
  explicit EndedFields(const Headers& headers) {
    if (!headers.has(FieldId::connection)) return;
    for (const Field& field : headers.all()) {
      if (field.id != FieldId::connection) continue;
      std::string_view rest = field.value;
      while (auto token = next_list_element(rest))
        if (field_id(*token) == FieldId::other && !equals_ignoring_case(*token, "close")) names_.push_back(*token);
    }
  }
  bool has(const Field& field) const {
    if (names_.empty() || field.id != FieldId::other) return false;
    return std::any_of(names_.begin(), names_.end(), [&](std::string_view name) { return equals_ignoring_case(name, field.name); });
  }

 private:
  std::vector<std::string_view> names_;
};

}  // namespace seawall
