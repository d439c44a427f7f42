#include "seawall/upstream/request_target.h"

#include "seawall/http/uri.h"
#include "seawall/server/exchange.h"

namespace seawall {

std::string as_target(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte != 0x7f) out += c;
    else out.append({'%', digits[byte >> 4], digits[byte & 15]});
  }
  return out;
}

std::string passed_target(const Exchange& x) {
  std::string uri = x.internal ? escape_uri(x.uri) : std::string(x.request.raw_path);
  if (!uri.starts_with('/')) uri.insert(0, 1, '/');  // after a rewrite to "name"; nothing else is a path (RFC 9112 3.2.1)
  const bool raw_args = !x.internal && x.args == x.request.args;
  if (!x.args.empty() || (raw_args && x.request.has_args)) uri.append("?").append(x.args);
  return as_target(uri);
}

}  // namespace seawall
