#include "names.h"

#include <algorithm>

#include "seawall/base/text.h"
#include "seawall/config/placed.h"

namespace seawall::acme {
namespace {

constexpr std::size_t kMostNames = 100;
// Nobody gives certificates for these (RFC 2606, 6762, 9476 ...).
constexpr std::string_view kPrivateEnds[] = {".test",     ".example", ".invalid", ".localhost", ".local",
                                             ".internal", ".onion",   ".lan",     ".home.arpa"};

bool is_label(std::string_view label) {
  if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
  return std::all_of(label.begin(), label.end(), [](char c) { return is_alpha(c) || is_digit(c) || c == '-'; });
}

}  // namespace

bool is_host(std::string_view name) {
  if (name.starts_with("*.")) name.remove_prefix(2);
  bool dotted = false;
  for (auto dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.')) {
    if (!is_label(name.substr(0, dot))) return false;
    name.remove_prefix(dot + 1);
    dotted = true;
  }
  return dotted && is_label(name) && !std::all_of(name.begin(), name.end(), is_digit);
}

bool is_public(std::string_view name) {
  return std::none_of(std::begin(kPrivateEnds), std::end(kPrivateEnds),
                      [&](std::string_view end) { return name.ends_with(end); });
}

std::vector<std::string> finished(std::vector<std::string> names) {
  for (std::string& name : names) name = lower(name);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  if (names.size() > kMostNames) throw ConfigError("a certificate has at most " + std::to_string(kMostNames) + " names");
  return names;
}

std::vector<std::string> names_of(const ServerBlock& server) {
  std::vector<std::string> names;
  for (const ServerName& name : server.names) {
    if (name.regex || name.text.empty()) continue;
    if (name.text.starts_with('.')) {
      names.push_back(name.text.substr(1));
      names.push_back("*" + name.text);
    } else if (is_host(name.text)) {
      names.push_back(name.text);
    }
  }
  return names;
}

}  // namespace seawall::acme
