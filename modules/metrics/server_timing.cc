#include "server_timing.h"

#include <cstdio>

namespace seawall::metrics {
namespace {

void append(const char* phase, std::int64_t nanoseconds, std::string& out) {
  char text[64];
  const int n = std::snprintf(text, sizeof text, "%s%s;dur=%.1f", out.empty() ? "" : ", ", phase, static_cast<double>(nanoseconds) / 1e6);
  out.append(text, static_cast<std::size_t>(n));
}

}  // namespace

void add_server_timing(Exchange& x, Response& response) {
  std::string timing;
  append("header", x.head_read - x.started, timing);
  if (x.body_waited) append("body", x.body_waited, timing);
  append("handler", x.loop.now() - x.head_read - x.body_waited, timing);
  response.headers.add("Server-Timing", timing);
}

}  // namespace seawall::metrics
