#include "seawall/server/old_browsers.h"

namespace seawall {
namespace {

bool has(std::string_view text, std::string_view word) { return text.find(word) != std::string_view::npos; }

}  // namespace

bool is_msie6(std::string_view agent) {
  const auto at = agent.find("MSIE ");
  if (at == std::string_view::npos || has(agent, "Opera")) return false;
  const auto version = agent.substr(at + 5);
  if (version.size() < 2 || version[1] != '.') return false;
  return version[0] == '4' || version[0] == '5' || (version[0] == '6' && !has(version, "SV1"));
}

bool is_safari(std::string_view agent) {
  if (has(agent, "MSIE ") || has(agent, "Opera") || has(agent, "Gecko/") || has(agent, "Chrome/")) return false;
  return has(agent, "Safari/") && has(agent, "Mac OS X");
}

}  // namespace seawall
