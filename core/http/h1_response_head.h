// The head of an HTTP/1 response as an upstream sends it: where it ends and what it says. Stricter than nginx in one thing only:
// what does not begin with HTTP/1 is no response. Pure; any thread. RFC 9112 4, 5.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "seawall/base/export.h"
#include "seawall/base/result.h"
#include "seawall/http/headers.h"

namespace seawall {

class SEAWALL_API H1ResponseHead {
 public:
  // Reads the head at the front of `in`: its size, or nothing when it is not all here. Error: bad_request, and complaint says
  // why (nginx's words). The fields are views of `in`.
  Result<std::optional<std::size_t>> parse(std::string_view in);

  int status = 0;
  int minor_version = 1;
  Headers headers;
  std::string complaint;

 private:
  Result<void> status_line(std::string_view line);
  Result<void> field(std::string_view line);
  Errc refuse(std::string why);
};

}  // namespace seawall
