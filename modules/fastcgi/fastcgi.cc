// fastcgi: passes requests to FastCGI servers, PHP-FPM first of all.
#include <algorithm>

#include "client.h"
#include "conf.h"
#include "php.h"
#include "seawall/upstream/forward.h"

namespace seawall::fastcgi {
namespace {

constexpr std::string_view kHidden[] = {"Status", "X-Accel-Expires", "X-Accel-Redirect", "X-Accel-Limit-Rate", "X-Accel-Buffering",
                                        "X-Accel-Charset"};

void take_target(Conf& conf, const Invocation& in, const char* name) {
  if (conf.target) throw_duplicate(name);
  conf.target = std::make_shared<CgiTarget>(in);
  conf.host = in.compile("$host$is_request_port$request_port");
  conf.block = &in.settings;
}
void set_pass(Conf& conf, const Invocation& in) { take_target(conf, in, "fastcgi_pass"); }
void set_php(Conf& conf, const Invocation& in) {
  take_target(conf, in, "php_fastcgi");
  conf.php = true;
  conf.php_params = php_params(in);
}
// Only blocks without a name (if, limit_except) take it: see pass().
void inherit_pass(Conf& conf, const Conf& outer) {
  if (conf.target) return;
  conf.target = outer.target;
  conf.host = outer.host;
  conf.block = outer.block;
  conf.php = outer.php;
  conf.php_params = outer.php_params;
}

std::shared_ptr<const SplitPath> parse_split(const Invocation& in) { return std::make_shared<const SplitPath>(in); }
void append_caught(std::vector<std::string>& all, const Invocation& in) { all.push_back(in.arg(0)); }

// What is written goes before what php_fastcgi brings.
std::vector<Param> params_of(const Conf& conf) {
  std::vector<Param> params = *conf.params;
  for (const Param& param : conf.php_params) {
    const auto same = [&](const Param& other) { return other.name == param.name; };
    if (std::none_of(params.begin(), params.end(), same)) params.push_back(param);
  }
  return params;
}

bool active(const Conf& conf) { return conf.target != nullptr; }

// A nested location has what its outer one says but this; below php_fastcgi, which serves a whole site, it has that, too.
bool serves(const Exchange& x, const Conf& conf) { return conf.php || x.location->holds(conf.block); }

ForwardTo to_group(Exchange& x, const Conf& conf, std::shared_ptr<const Group> group) {
  ForwardTo to;
  to.group = std::move(group);
  to.protocol = std::make_unique<Client>(x, conf);
  to.takes_unknown_length = true;
  return to;
}

// What variables have become.
Task<void> look_up_and_pass(Exchange& x, const Conf& conf, Outcome& outcome) {
  int status = 500;
  std::shared_ptr<const Group> group = co_await conf.target->look_up(x, status);
  if (!group) {
    outcome = Response(status);
    co_return;
  }
  co_await forward(x, conf, to_group(x, conf, std::move(group)), outcome);
}

Rest pass(Exchange& x, const Conf& conf, Outcome& outcome) {
  if (!serves(x, conf)) return {};
  if (conf.php) {
    if (std::optional<Outcome> other = find_php(x)) {
      outcome = std::move(*other);
      return {};
    }
  }
  std::shared_ptr<const Group> group = conf.target->known();
  if (!group) return Rest(look_up_and_pass(x, conf, outcome));
  return Rest(forward(x, conf, to_group(x, conf, std::move(group)), outcome));
}

void name_script(Exchange& x, std::string& script, std::string& path_info) {
  const auto& state = x.state<FastCgi>();
  const Conf& conf = x.conf<FastCgi>();
  if (conf.php && state.found) {
    script = state.script;
    path_info = state.path_info;
    return;
  }
  // Behind a root a name needs a slash in front (nginx: after a rewrite to "name" it has none, and leads to a neighbour of the root).
  const std::string uri = (x.uri.starts_with('/') ? "" : "/") + x.uri;
  script = uri;
  if (*conf.split) (*conf.split)->split(uri, script, path_info);
  if (script.ends_with('/')) script += *conf.index;
}

bool script_name(Exchange& x, std::string_view, const void*, std::string& out) {
  std::string script, path_info;
  name_script(x, script, path_info);
  out += script;
  return true;
}

bool path_info(Exchange& x, std::string_view, const void*, std::string& out) {
  std::string script, path_info;
  name_script(x, script, path_info);
  out += path_info;
  return true;
}

constexpr unsigned kAll = kHttp | kServer | kLocation;

std::vector<Directive> make_rows() {
  std::vector<Directive> rows = forward_directives<Conf>("fastcgi");
  const Directive own[] = {
      custom<Conf>("fastcgi_pass", kLocation | kLocationIf, 1, 1, "address", set_pass,
                   "Passes the request to this FastCGI server or upstream: host:port, unix:/path, a name.", inherit_pass),
      custom<Conf>("php_fastcgi", kServer | kLocation, 1, 1, "address", set_php,
                   "PHP as a whole site (ours): programs and their PATH_INFO, index.php of folders, and /index.php for what is no file; "
                   "files are sent. Only a file that is there and whose own name ends in .php runs."),
      list<Conf, Param>("fastcgi_param", kAll, 2, 3, "name value [if_not_empty]", &Conf::params, append_param,
                        "What the program is told."),
      directive<Conf, std::shared_ptr<const SplitPath>>("fastcgi_split_path_info", kAll, 1, 1, "regex", &Conf::split, parse_split,
                                                        "Divides the URI into $fastcgi_script_name and $fastcgi_path_info."),
      text<Conf>("fastcgi_index", kAll, &Conf::index, "What is appended to a $fastcgi_script_name that ends in a slash."),
      list<Conf, std::string>("fastcgi_catch_stderr", kAll, 1, 1, "text", &Conf::catch_stderr, append_caught,
                              "A response whose program has said this on its standard error is none."),
      flag<Conf>("fastcgi_keep_conn", kAll, &Conf::keep_conn,
                 "Asks the server to keep the connection. PHP-FPM keeps a process with it, so that few of them serve few clients."),
  };
  rows.insert(rows.end(), std::begin(own), std::end(own));
  return rows;
}

constexpr Step step_rows[] = {step<Conf, active, pass>(Phase::content)};
constexpr VariableRow variable_rows[] = {{"fastcgi_script_name", script_name}, {"fastcgi_path_info", path_info}};

}  // namespace

const std::vector<Directive> FastCgi::directives = make_rows();
const std::span<const Step> FastCgi::steps = step_rows;
const std::span<const VariableRow> FastCgi::variables = variable_rows;

void FastCgi::check(Conf& conf, Settings&, Binder& binder) {
  conf.finish("fastcgi", kHidden, binder);
  conf.effective = Params(params_of(conf), conf.host);
}

}  // namespace seawall::fastcgi

using seawall::fastcgi::FastCgi;
SEAWALL_MODULE(FastCgi)
