// JSON as CAs and the store write it: whatever it is, reading it fails no harder than with "there is no such thing". Any thread.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace seawall::acme {

using Json = nlohmann::json;

// How deep its arrays and objects lie in each other.
inline int depth_of(std::string_view text) {
  int depth = 0, deepest = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '\\') ++i;
    else if (c == '"') quoted = !quoted;
    else if (!quoted && (c == '[' || c == '{')) deepest = std::max(deepest, ++depth);
    else if (!quoted && (c == ']' || c == '}')) --depth;
  }
  return deepest;
}

// Null: it is none. ACME's own goes four deep; the library copies and frees what lies deeper by recursion, and a CA's word must not
// overflow a stack.
inline Json parse_json(std::string_view text) {
  constexpr int kDeepest = 20;
  if (depth_of(text) > kDeepest) return Json();
  Json json = Json::parse(text, nullptr, false);
  return json.is_discarded() ? Json() : json;
}

// A member; null where there is none.
inline const Json& member_of(const Json& json, const char* name) {
  static const Json none;
  if (!json.is_object()) return none;
  const auto found = json.find(name);
  return found == json.end() ? none : *found;
}
// One that is text; empty where it is not.
inline std::string text_in(const Json& json, const char* name) {
  const Json& found = member_of(json, name);
  return found.is_string() ? found.get<std::string>() : std::string();
}
inline bool flag_in(const Json& json, const char* name) {
  const Json& found = member_of(json, name);
  return found.is_boolean() && found.get<bool>();
}

// What an order or a challenge says has gone wrong with it, and the kind of error that this is (RFC 8555 6.7).
inline std::string complaint_in(const Json& holder, const std::string& otherwise) {
  const std::string detail = text_in(member_of(holder, "error"), "detail");
  return detail.empty() ? otherwise : detail;
}
inline std::string type_of_error(const Json& holder) {
  const std::string type = text_in(member_of(holder, "error"), "type");
  const auto colon = type.rfind(':');
  return colon == std::string::npos ? type : type.substr(colon + 1);
}

}  // namespace seawall::acme
