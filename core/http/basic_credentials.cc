#include "seawall/http/basic_credentials.h"

#include <string_view>

#include "seawall/base/base64.h"
#include "seawall/base/text.h"
#include "seawall/http/headers.h"

namespace seawall {

std::optional<BasicCredentials> basic_credentials(const Headers& headers) {
  constexpr std::string_view scheme = "basic ";
  std::string_view value = headers.get(FieldId::authorization);
  if (!equals_ignoring_case(value.substr(0, scheme.size()), scheme)) return std::nullopt;
  value.remove_prefix(scheme.size());
  while (value.starts_with(' ')) value.remove_prefix(1);
  const auto decoded = decode_base64(value);
  if (!decoded) return std::nullopt;
  const auto colon = decoded->find(':');
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  BasicCredentials credentials;
  credentials.user = decoded->substr(0, colon);
  credentials.password = decoded->substr(colon + 1);
  return credentials;
}

}  // namespace seawall
