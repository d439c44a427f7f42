// Responses that carry an explanation: the default pages, the pages of error_page, redirects; and which status an error
// of the network or the protocol becomes. One loop.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "seawall/route/step.h"

namespace seawall {

class Exchange;

// What error_page says for this response, if anything: where to go on (Internal), or a redirect to another site.
// Only responses without a body of their own are replaced (`return 404 "text"` is not).
std::optional<Outcome> error_page_for(Exchange& x, const Response& response);

// Gives a response without a body the small HTML page that names its status.
void add_default_page(const Exchange& x, Response& response);

// A redirect with Location made of `path` (or an absolute URL) and `args` under absolute_redirect, port_in_redirect and
// server_name_in_redirect.
SEAWALL_API Response redirect_to(const Exchange& x, int status, std::string_view path, std::string_view args = {});
// What Location says for a path under the same directives; URLs with a scheme stay as they are.
SEAWALL_API std::string absolute_location(const Exchange& x, std::string_view path);

// The status that answers a failure of the client's side; 0: nobody is left to answer (closed, reset).
SEAWALL_API int status_of(const std::error_code& error);

}  // namespace seawall
