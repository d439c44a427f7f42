#include "seawall/observe/server_metrics.h"

#include <string>

#include "seawall/observe/gathering.h"
#include "seawall/server/event_counts.h"
#include "seawall/server/failures.h"
#include "seawall/server/loop_counts.h"

namespace seawall {
namespace {

void collect_connections(Gathering& out, const ServerCounts& counts) {
  Family& open = out.gauge("seawall_connections", "Open client connections by what they are doing.");
  for (int i = 0; i < kConnStates; ++i)
    open.add(static_cast<double>(counts.states[static_cast<std::size_t>(i)]), {{"state", name_of(static_cast<ConnState>(i))}});
  out.counter("seawall_connections_accepted", "Client connections that were accepted.").add(static_cast<double>(counts.accepted));
  out.counter("seawall_connections_handled", "Client connections that were served.").add(static_cast<double>(counts.handled));
  Family& refused = out.counter("seawall_accept_errors", "Connections that could not be accepted or served, by reason.");
  refusal_counts().for_each([&](std::string_view reason, const SharedCount* n) {
    if (!reason.empty()) refused.add(static_cast<double>(n->get()), {{"reason", std::string(reason)}});
  });
  out.gauge("seawall_generations", "Worker processes that have connections or may get some.").add(static_cast<double>(counts.processes));
}

void collect_requests(Gathering& out, const ServerCounts& counts) {
  out.counter("seawall_requests", "Requests whose head was complete.").add(static_cast<double>(counts.requests));
  out.counter("seawall_aborts", "Requests that were ended without a response (444, 499).").add(static_cast<double>(counts.aborts));
  Family& late = out.counter("seawall_timeouts", "Waits for a client that took too long, by what was waited for.");
  for (int i = 0; i < kWaits; ++i)
    if (const auto n = counts.timeouts[static_cast<std::size_t>(i)])
      late.add(static_cast<double>(n), {{"wait", name_of(static_cast<Wait>(i))}});
  Family& abuse = out.counter("seawall_h2_limits", "HTTP/2 clients cut off at a limit, by limit.");
  for (int i = 0; i < kH2Abuses; ++i)
    if (const auto n = counts.h2_abuses[static_cast<std::size_t>(i)])
      abuse.add(static_cast<double>(n), {{"limit", label_of(static_cast<H2Abuse>(i))}});
  Family& failures = out.counter("seawall_client_failures", "What went wrong with clients outside of handlers, by server and class.");
  for_each_failure([&](std::string_view vhost, Failure failure, std::uint64_t n) {
    failures.add(static_cast<double>(n), {{"vhost", std::string(vhost)}, {"class", name_of(failure)}});
  });
}

void collect_tls(Gathering& out) {
  Family& renewed = out.counter("seawall_certificate_renewals", "Certificate files that have changed, by whether they hold now.");
  renewal_counts().for_each([&](std::string_view result, const SharedCount* n) {
    if (!result.empty()) renewed.add(static_cast<double>(n->get()), {{"result", std::string(result)}});
  });
  Family& shaken = out.counter("seawall_tls_handshakes", "TLS handshakes that were completed.");
  handshake_counts().for_each([&](std::string_view how, const SharedCount* n) {
    const auto space = how.find(' ');
    if (space == std::string_view::npos) return;
    const std::string version(how.substr(0, space)), cipher(how.substr(space + 1));
    for (int resumed = 0; resumed < 2; ++resumed)
      shaken.add(static_cast<double>(n[resumed].get()), {{"version", version}, {"cipher", cipher}, {"resumed", resumed ? "true" : "false"}});
  });
}

}  // namespace

void collect_server(Gathering& out) {
  const ServerCounts counts = count_all();
  collect_connections(out, counts);
  collect_requests(out, counts);
  collect_tls(out);
}

}  // namespace seawall
