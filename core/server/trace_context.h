// W3C Trace Context: where `trace_context` says so, a request is a span of its client's trace, or begins one, and upstreams hear of
// it as our children: traceparent with a new span id, tracestate as it came. What is not valid counts as not sent. One request.
#pragma once
#include <cstdint>
#include <span>
#include <string>

#include "seawall/config/directive.h"
#include "seawall/config/variable.h"
#include "seawall/server/exchange.h"

namespace seawall {

class TraceContext {
 public:
  std::string trace_id;   // 32 hexadecimal digits; empty: not made yet
  std::string span_id;    // ours, 16
  std::string parent_id;  // the client's span; empty: the trace begins here
  std::string state;      // tracestate, as it goes on
  unsigned flags = 0;
  bool sampled() const { return flags & 1; }
  SEAWALL_API std::string traceparent() const;
};

// Null: trace_context is off where the request is now. A subrequest has its request's.
SEAWALL_API const TraceContext* trace_context(Exchange& x);

class TraceConf {
 public:
  class Mode {
   public:
    bool on = false;
    bool takes_clients = true;   // `new`: the client's is not believed
    std::uint64_t sampled = 100;  // percent of the traces that begin here
  };
  Setting<Mode> mode;
};

struct TraceModule {
  using Conf = TraceConf;
  using State = TraceContext;
  static constexpr const char* name = "trace";
  static constexpr const char* summary = "W3C trace context for upstreams and logs";
  static const std::span<const Directive> directives;
  static const std::span<const VariableRow> variables;
};

}  // namespace seawall
