// The end of a response's way: its default page, and the filters of its location over the head that will be sent. One loop.
#pragma once
#include <optional>

#include "seawall/route/step.h"

namespace seawall {

class Exchange;

// A response whose body is the default page of its status, not something a handler has made.
inline bool is_bare(const Response& response) {
  return response.status >= 300 && std::holds_alternative<std::monostate>(response.body);
}

// Says to who wants to know (probe.h) where the answer is made, and what it passes or would pass.
void tell_filters(const Exchange& x);

// Makes the head what will be sent. Where to go instead when a filter refuses it (412, 416), `may_have_page`, and error_page
// has something for that; a filter that fails makes it a 500.
std::optional<Outcome> finish_response(Exchange& x, Response& response, bool may_have_page);

}  // namespace seawall
