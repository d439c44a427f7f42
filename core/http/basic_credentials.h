// Who says that he is who: the user and password of Basic authentication (RFC 7617). Whether they are right is not asked here.
// Any thread.
#pragma once
#include <optional>
#include <string>

#include "seawall/base/export.h"

namespace seawall {

class Headers;

class BasicCredentials {
 public:
  std::string user;      // never empty
  std::string password;
};

// Of the request's field Authorization; nothing when it has another scheme, is no base64 or names no user.
SEAWALL_API std::optional<BasicCredentials> basic_credentials(const Headers& headers);

}  // namespace seawall
