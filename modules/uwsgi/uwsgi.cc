// uwsgi: passes requests to uWSGI servers in their own protocol.
#include "seawall/module/module.h"
#include "seawall/upstream/cgi_client.h"
#include "seawall/upstream/cgi_target.h"
#include "seawall/upstream/forward.h"
#include "seawall/upstream/forward_conf.h"
#include "seawall/upstream/params.h"
#include "seawall/upstream/upstream_tls.h"

namespace seawall::uwsgi {
namespace {

constexpr std::string_view kHidden[] = {"X-Accel-Expires", "X-Accel-Redirect", "X-Accel-Limit-Rate", "X-Accel-Buffering", "X-Accel-Charset"};
constexpr std::size_t kLongest = 65535;  // of a name, a value, and all of them

class Conf : public ForwardConf, public UpstreamTlsConf {
 public:
  std::shared_ptr<const CgiTarget> target;
  const Settings* block = nullptr;  // that wrote uwsgi_pass
  Template host;
  Setting<std::vector<Param>> params;
  Setting<std::int64_t> modifier1{0}, modifier2{0};
  Params effective;                 // after inheritance
};

char byte(std::size_t n) { return static_cast<char>(n & 0xff); }
void append_size(std::string& out, std::size_t n) { out.append({byte(n), byte(n >> 8)}); }

class Client final : public CgiClient {
 public:
  // The request's head, and whether it can be said: the protocol counts in sixteen bits.
  Client(Exchange& x, const Conf& conf, bool tls) : CgiClient(x, conf), conf_(conf), tls_(tls) { write(ForCache()); }
  bool fits() const { return fits_; }
  std::string_view scheme() const override { return tls_ ? "suwsgi://" : "uwsgi://"; }
  void write_head(std::string& out, std::optional<std::uint64_t>) override {
    if (for_cache.whole) write(for_cache);
    if (!fits_) {  // with what is asked for the cache; without it, it did
      for_cache.modified_since.clear();
      for_cache.none_match.clear();
      write(for_cache);
    }
    out += head_;
  }

 private:
  void write(const ForCache& asked) {
    std::string vars;
    fits_ = true;
    const auto add = [&](std::string_view name, std::string_view value) {
      fits_ = fits_ && name.size() <= kLongest && value.size() <= kLongest;
      append_size(vars, name.size());
      vars += name;
      append_size(vars, value.size());
      vars += value;
    };
    conf_.effective.each(x_, *conf_.pass_request_headers, add, asked);
    fits_ = fits_ && vars.size() <= kLongest;
    head_ = byte(static_cast<std::size_t>(*conf_.modifier1));
    append_size(head_, vars.size());
    head_ += byte(static_cast<std::size_t>(*conf_.modifier2));
    head_ += vars;
  }

  const Conf& conf_;
  const bool tls_;
  std::string head_;
  bool fits_ = true;
};

void set_pass(Conf& conf, const Invocation& in) {
  if (conf.target) throw_duplicate("uwsgi_pass");
  conf.target = std::make_shared<CgiTarget>(in, "uwsgi://", "suwsgi://");
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

std::int64_t parse_modifier(const Invocation& in) {
  const std::int64_t value = parse_number(in);
  if (value < 0 || value > 255) throw ConfigError("value must be between 0 and 255");
  return value;
}

bool active(const Conf& conf) { return conf.target != nullptr; }

Task<void> pass_on(Exchange& x, const Conf& conf, Outcome& outcome) {
  int status = 500;
  std::shared_ptr<const Group> group = conf.target->known();
  CgiTls tls = conf.target->tls();
  if (!group) group = co_await conf.target->look_up(x, status, &tls);
  if (!group) {
    outcome = Response(status);
    co_return;
  }
  auto client = std::make_unique<Client>(x, conf, tls.on);
  if (!client->fits()) {
    x.log(Level::alert, "uwsgi request is too big: the protocol has no more than 65535 bytes for params and fields");
    outcome = Response(500);
    co_return;
  }
  ForwardTo to;
  to.group = std::move(group);
  to.protocol = std::move(client);
  if (tls.on) to.tls = &conf;
  to.tls_name = std::move(tls.name);
  co_await forward(x, conf, std::move(to), outcome);
}

Rest pass(Exchange& x, const Conf& conf, Outcome& outcome) {
  if (!x.location->holds(conf.block)) return {};
  return Rest(pass_on(x, conf, outcome));
}

constexpr unsigned kAll = kHttp | kServer | kLocation;

std::vector<Directive> make_rows() {
  std::vector<Directive> rows = forward_directives<Conf>("uwsgi");
  const std::vector<Directive> tls_rows = upstream_tls_directives<Conf>("uwsgi");
  rows.insert(rows.end(), tls_rows.begin(), tls_rows.end());
  const Directive own[] = {
      custom<Conf>("uwsgi_pass", kLocation | kLocationIf, 1, 1, "[uwsgi:// | suwsgi://]address", set_pass,
                   "Passes the request to this uWSGI server or upstream: host:port, unix:/path, a name.", inherit_pass),
      list<Conf, Param>("uwsgi_param", kAll, 2, 3, "name value [if_not_empty]", &Conf::params, append_param, "What the program is told."),
      directive<Conf, std::int64_t>("uwsgi_modifier1", kAll, 1, 1, "number", &Conf::modifier1, parse_modifier, "Of the packet's header.", "0"),
      directive<Conf, std::int64_t>("uwsgi_modifier2", kAll, 1, 1, "number", &Conf::modifier2, parse_modifier, "Of the packet's header.", "0"),
  };
  rows.insert(rows.end(), std::begin(own), std::end(own));
  return rows;
}

}  // namespace

class Uwsgi {
 public:
  using Conf = uwsgi::Conf;
  static constexpr const char* name = "uwsgi";
  static constexpr const char* summary = "passes requests to uWSGI servers";
  static inline const std::vector<Directive> directives = make_rows();
  static constexpr Step steps[] = {step<Conf, active, pass>(Phase::content)};
  static void check(Conf& conf, Settings&, Binder& binder) {
    conf.finish("uwsgi", kHidden, binder);
    conf.effective = Params(*conf.params, conf.host);
    if (conf.target && conf.target->may_use_tls()) conf.make_context("uwsgi");
  }
};

}  // namespace seawall::uwsgi

using seawall::uwsgi::Uwsgi;
SEAWALL_MODULE(Uwsgi)
