#include "seawall/http/message.h"

namespace seawall {

Method method_of(std::string_view name) {
  static constexpr std::pair<std::string_view, Method> known[] = {
      {"GET", Method::get}, {"HEAD", Method::head}, {"POST", Method::post}, {"PUT", Method::put},
      {"DELETE", Method::delete_}, {"CONNECT", Method::connect}, {"OPTIONS", Method::options}, {"TRACE", Method::trace},
      {"PATCH", Method::patch}, {"MKCOL", Method::mkcol}, {"COPY", Method::copy}, {"MOVE", Method::move},
      {"PROPFIND", Method::propfind}, {"PROPPATCH", Method::proppatch}, {"LOCK", Method::lock},
      {"UNLOCK", Method::unlock}, {"PURGE", Method::purge}, {"QUERY", Method::query}};
  for (const auto& [text, method] : known)
    if (name == text) return method;
  return Method::other;
}

}  // namespace seawall
