#include "seawall/server/explanation.h"

#include "seawall/route/endpoints.h"
#include "seawall/server/probe.h"

namespace seawall {
namespace {

std::function<std::string(const Location&)>& in_force() {
  static std::function<std::string(const Location&)> teller;
  return teller;
}

}  // namespace

void set_directives_in_force(std::function<std::string(const Location&)> teller) { in_force() = std::move(teller); }

std::string explanation_of(const Endpoint& endpoint, const Trace& trace, std::string_view head) {
  std::string text = "listen " + endpoint.address.text_with_port() + (endpoint.options.ssl ? " ssl" : "") + "\n";
  for (const std::string& line : trace.lines) text += line + "\n";
  text += head.empty() ? "no response: the connection is closed, or a handler would make it" : head;
  text += "\n";
  if (trace.location && in_force()) text += "in force:\n" + in_force()(*trace.location);
  return text;
}

}  // namespace seawall
