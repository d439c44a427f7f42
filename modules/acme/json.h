// JSON as CAs and the store write it. Any thread.
#pragma once
#include <nlohmann/json.hpp>
#include <string>

namespace seawall::acme {

using Json = nlohmann::json;

// A member that is text; empty where it is not.
inline std::string text_in(const Json& json, const char* name) {
  if (!json.is_object()) return {};
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace seawall::acme
