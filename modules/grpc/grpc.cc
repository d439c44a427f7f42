// grpc: passes gRPC calls to servers.
#include <algorithm>

#include "client.h"
#include "conf.h"
#include "seawall/upstream/attempts.h"
#include "seawall/upstream/forward.h"
#include "seawall/upstream/resolver_module.h"
#include "status.h"

namespace seawall::grpc {
namespace {

constexpr std::string_view kHidden[] = {"Date", "Server", "X-Accel-Expires", "X-Accel-Redirect", "X-Accel-Limit-Rate", "X-Accel-Buffering",
                                        "X-Accel-Charset"};
// What nginx has of the settings that all upstreams have in common. Others have no meaning where nothing is buffered or kept.
constexpr std::string_view kShared[] = {"grpc_connect_timeout", "grpc_send_timeout", "grpc_read_timeout", "grpc_next_upstream",
                                        "grpc_next_upstream_tries", "grpc_next_upstream_timeout", "grpc_intercept_errors",
                                        "grpc_socket_keepalive", "grpc_socket_rcvbuf", "grpc_socket_sndbuf", "grpc_buffer_size",
                                        "grpc_ignore_headers", "grpc_hide_header", "grpc_pass_header", "grpc_bind"};

void set_pass(Conf& conf, const Invocation& in) {
  if (conf.target) throw_duplicate("grpc_pass");
  conf.target = std::make_shared<Target>(in);
  conf.block = &in.settings;
}
// Only blocks without a name (if, limit_except) take it: see pass().
void inherit_pass(Conf& conf, const Conf& outer) {
  if (conf.target) return;
  conf.target = outer.target;
  conf.block = outer.block;
}

bool active(const Conf& conf) { return conf.target != nullptr; }

Task<void> pass_on(Exchange& x, const Conf& conf, Outcome& outcome) {
  std::optional<Destination> to = conf.target->of(x);
  if (to && !to->group) to->group = co_await find_group(x, to->url);
  if (!to || !to->group) {
    outcome = Response(to ? 502 : 500);
    co_return;
  }
  ForwardTo forwarded;
  forwarded.group = to->group;
  if (to->tls) forwarded.tls = &conf;
  forwarded.tls_name = to->url.host;
  forwarded.takes_unknown_length = true;
  auto client = std::make_unique<Client>(x, conf, std::move(*to));
  forwarded.http2 = client.get();
  forwarded.protocol = std::move(client);
  co_await forward(x, conf, std::move(forwarded), outcome);
}

Rest pass(Exchange& x, const Conf& conf, Outcome& outcome) {
  if (!x.location->holds(conf.block)) return {};
  return Rest(pass_on(x, conf, outcome));
}

void check(Conf& conf, Binder& binder) {
  conf.finish("grpc", kHidden, binder);
  conf.fields = RequestFields(*conf.set_fields);
  if (conf.target && conf.target->may_use_tls()) conf.make_context("grpc", "\x02h2");
}

std::vector<Directive> make_rows() {
  std::vector<Directive> rows;
  for (const Directive& row : forward_directives<Conf>("grpc"))
    if (std::find(std::begin(kShared), std::end(kShared), row.name) != std::end(kShared)) rows.push_back(row);
  const std::vector<Directive> tls_rows = upstream_tls_directives<Conf>("grpc");
  rows.insert(rows.end(), tls_rows.begin(), tls_rows.end());
  rows.push_back(custom<Conf>("grpc_pass", kLocation | kLocationIf, 1, 1, "address", set_pass,
                              "Passes the call to this server or upstream: grpc://host:port, grpcs://..., unix:/path, a name.", inherit_pass));
  rows.push_back(list<Conf, SetField>("grpc_set_header", kHttp | kServer | kLocation, 2, 2, "field value", &Conf::set_fields,
                                      append_set_field, "A field of the request to the server; an empty value takes the client's away."));
  return rows;
}

}  // namespace

class Grpc {
 public:
  using Conf = grpc::Conf;
  static constexpr const char* name = "grpc";
  static constexpr const char* summary = "passes gRPC calls to servers";
  static inline const std::vector<Directive> directives = make_rows();
  static constexpr Step steps[] = {step<Conf, active, pass>(Phase::content)};
  static constexpr Filter filters[] = {filter<Conf, active, tell_status>(FilterStage::script)};
  static void check(Conf& conf, Settings&, Binder& binder) { grpc::check(conf, binder); }
};

}  // namespace seawall::grpc

using seawall::grpc::Grpc;
SEAWALL_MODULE(Grpc)
