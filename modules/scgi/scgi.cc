// scgi: passes requests to SCGI servers.
#include "seawall/module/module.h"
#include "seawall/upstream/cgi_client.h"
#include "seawall/upstream/cgi_target.h"
#include "seawall/upstream/forward.h"
#include "seawall/upstream/forward_conf.h"
#include "seawall/upstream/params.h"

namespace seawall::scgi {
namespace {

constexpr std::string_view kHidden[] = {"Status", "X-Accel-Expires", "X-Accel-Redirect", "X-Accel-Limit-Rate", "X-Accel-Buffering",
                                        "X-Accel-Charset"};

class Conf : public ForwardConf {
 public:
  std::shared_ptr<const CgiTarget> target;
  const Settings* block = nullptr;  // that wrote scgi_pass
  Template host;
  Setting<std::vector<Param>> params;
  Params effective;                 // after inheritance
};

class Client final : public CgiClient {
 public:
  Client(Exchange& x, const Conf& conf) : CgiClient(x, conf), conf_(conf) {}
  std::string_view scheme() const override { return "scgi://"; }

  // A netstring of names and values, CONTENT_LENGTH first; the body follows.
  void write_head(std::string& out, std::optional<std::uint64_t> length) override {
    std::string pairs;
    const auto add = [&](std::string_view name, std::string_view value) { (pairs.append(name) += '\0').append(value) += '\0'; };
    add("CONTENT_LENGTH", std::to_string(length.value_or(0)));
    conf_.effective.each(x_, *conf_.pass_request_headers, [&](std::string_view name, std::string_view value) {
      // A NUL would end the value, and what follows it would be the next name.
      if (name != "CONTENT_LENGTH" && value.find('\0') == value.npos) add(name, value);
    }, for_cache);
    out.append(std::to_string(pairs.size())).append(":").append(pairs).append(",");
  }

 private:
  const Conf& conf_;
};

void set_pass(Conf& conf, const Invocation& in) {
  if (conf.target) throw_duplicate("scgi_pass");
  conf.target = std::make_shared<CgiTarget>(in);
  conf.host = in.compile("$host$is_request_port$request_port");
  conf.block = &in.settings;
}
// Only blocks without a name (if, limit_except) take it: see pass().
void inherit_pass(Conf& conf, const Conf& outer) {
  if (conf.target) return;
  conf.target = outer.target;
  conf.host = outer.host;
  conf.block = outer.block;
}

bool active(const Conf& conf) { return conf.target != nullptr; }

Task<void> pass_on(Exchange& x, const Conf& conf, Outcome& outcome) {
  int status = 500;
  std::shared_ptr<const Group> group = conf.target->known();
  if (!group) group = co_await conf.target->look_up(x, status);
  if (!group) {
    outcome = Response(status);
    co_return;
  }
  ForwardTo to;
  to.group = std::move(group);
  to.protocol = std::make_unique<Client>(x, conf);
  co_await forward(x, conf, std::move(to), outcome);
}

Rest pass(Exchange& x, const Conf& conf, Outcome& outcome) {
  if (!x.location->holds(conf.block)) return {};
  return Rest(pass_on(x, conf, outcome));
}

constexpr unsigned kAll = kHttp | kServer | kLocation;

std::vector<Directive> make_rows() {
  std::vector<Directive> rows = forward_directives<Conf>("scgi");
  const Directive own[] = {
      custom<Conf>("scgi_pass", kLocation | kLocationIf, 1, 1, "address", set_pass,
                   "Passes the request to this SCGI server or upstream: host:port, unix:/path, a name.", inherit_pass),
      list<Conf, Param>("scgi_param", kAll, 2, 3, "name value [if_not_empty]", &Conf::params, append_param, "What the program is told."),
  };
  rows.insert(rows.end(), std::begin(own), std::end(own));
  return rows;
}

}  // namespace

class Scgi {
 public:
  using Conf = scgi::Conf;
  static constexpr const char* name = "scgi";
  static constexpr const char* summary = "passes requests to SCGI servers";
  static inline const std::vector<Directive> directives = make_rows();
  static constexpr Step steps[] = {step<Conf, active, pass>(Phase::content)};
  static void check(Conf& conf, Settings&, Binder& binder) {
    conf.finish("scgi", kHidden, binder);
    conf.effective = Params(*conf.params, conf.host);
  }
};

}  // namespace seawall::scgi

using seawall::scgi::Scgi;
SEAWALL_MODULE(Scgi)
