// Paths and hosts. Input: a path, or behind a first '@' a host. What was normalised once stays as it is.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "seawall/http/uri.h"

namespace {

using namespace seawall;

void check(bool holds) {
  if (!holds) std::abort();
}

void check_host(std::string_view text) {
  const Result<std::string> host = parse_host(text);
  if (!host) return;
  const Result<std::string> again = parse_host(*host);
  check(again && (*again == *host || *again + "." == *host));
}

void check_path(std::string_view text, bool merge) {
  const Result<std::string> path = normalize_path(text, merge);
  if (!path) return;
  check(path->starts_with('/') && path->find('\0') == std::string::npos);
  check(path->find("/../") == std::string::npos && path->find("/./") == std::string::npos && !path->ends_with("/.."));
  check(!merge || path->find("//") == std::string::npos);
  const Result<std::string> again = normalize_path(escape_uri(*path), merge);
  check(again && *again == *path);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (text.starts_with('@')) {
    check_host(text.substr(1));
    return 0;
  }
  check_path(text, true);
  check_path(text, false);
  return 0;
}
