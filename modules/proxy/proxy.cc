// proxy: passes requests to HTTP servers.
#include <algorithm>

#include "conf.h"
#include "h1_client.h"
#include "h2_client.h"
#include "seawall/base/text.h"
#include "seawall/upstream/attempts.h"
#include "seawall/upstream/forward.h"
#include "seawall/upstream/resolver_module.h"

namespace seawall::proxy {
namespace {

constexpr std::string_view kHidden[] = {"Date", "Server", "X-Pad", "X-Accel-Expires", "X-Accel-Redirect", "X-Accel-Limit-Rate",
                                        "X-Accel-Buffering", "X-Accel-Charset"};

void set_pass(Conf& conf, const Invocation& in) {
  if (conf.target) throw_duplicate("proxy_pass");
  conf.target = std::make_shared<Target>(in);
  conf.block = &in.settings;
}
// Only blocks without a name (if, limit_except) take it: see serves().
void inherit_pass(Conf& conf, const Conf& outer) {
  if (conf.target) return;
  conf.target = outer.target;
  conf.block = outer.block;
}

HttpVersion parse_version(const Invocation& in) {
  if (in.arg(0) == "1.0") return HttpVersion::http10;
  if (in.arg(0) == "1.1") return HttpVersion::http11;
  if (in.arg(0) == "2") return HttpVersion::http2;
  throw_invalid_value(in.arg(0), "proxy_http_version");
}

template <class T, Setting<T> Conf::*Field, void (*Append)(T&, const Invocation&)>
Directive pairs(const char* name, int most, const char* kind, const char* help, std::string otherwise = "off") {
  return custom<Conf>(name, kHttp | kServer | kLocation, 1, most, kind,
                      [](Conf& conf, const Invocation& in) {
                        Append((conf.*Field).edit(), in);
                        (conf.*Field).mark_set(in.node.place);
                      },
                      help, [](Conf& conf, const Conf& outer) { (conf.*Field).inherit(outer.*Field); }, std::move(otherwise));
}

// The default needs to know what proxy_pass says.
void append_checked_redirect(Conf& conf, const Invocation& in) {
  if (in.args().size() == 1 && in.arg(0) == "default") {
    if (!conf.target) throw ConfigError("\"proxy_redirect default\" should be placed after the \"proxy_pass\" directive");
    if (conf.target->has_variables())
      throw ConfigError("\"proxy_redirect default\" cannot be used with \"proxy_pass\" directive with variables");
  }
  append_redirect(conf.redirects.edit(), in);
  conf.redirects.mark_set(in.node.place);
}
void inherit_redirects(Conf& conf, const Conf& outer) { conf.redirects.inherit(outer.redirects); }

// The text of proxy_pass becomes the location's name.
void fill_default(Replacement& one, const Target& target) {
  const bool has_uri = !target.uri().empty();
  one.pattern = Template::literal(target.text() + (has_uri ? "" : "/"));
  one.by = Template::literal(has_uri ? target.location() : "/");
}

void check(Conf& conf, Settings&, Binder& binder) {
  conf.finish("proxy", kHidden, binder);
  conf.fields = RequestFields(*conf.set_fields);
  conf.effective_redirects = *conf.redirects;
  if (conf.target && conf.target->may_use_tls()) conf.make_context("proxy", *conf.version == HttpVersion::http2 ? "\x02h2" : "");
  if (!conf.target || conf.target->has_variables()) return;
  if (conf.redirects.is_default()) conf.effective_redirects.all.emplace_back().is_default = true;
  for (Replacement& one : conf.effective_redirects.all)
    if (one.is_default) fill_default(one, *conf.target);
}

// Is the target that of the location the request is in? A nested location has what its outer one says but this.
bool serves(const Exchange& x, const Conf& conf) {
  const Location* at = x.location;
  while (at->settings != conf.block) {
    if (at->kind != Location::Kind::unnamed || !at->parent) return false;
    at = at->parent;
  }
  return true;
}

bool active(const Conf& conf) { return conf.target != nullptr; }

bool is_method(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return is_alpha(c) || c == '-' || c == '_'; });
}

// To a destination whose group is known, and which is used up. No coroutine, nor is forward(): a frame less to each request.
Rest pass_to(Exchange& x, const Conf& conf, Destination&& to, Outcome& outcome) {
  std::string method;
  if (!conf.method->empty()) method = conf.method->eval(x);
  else method = x.method == x.request.method ? x.request.method_name : "GET";  // an internal redirect asks for a page
  if (!is_method(method)) {
    x.log(Level::error, "invalid method \"" + method + "\" to proxy");
    outcome = Response(500);
    return {};
  }
  Attempts& attempts = Attempts::of(x);
  attempts.host = to.host;
  attempts.port = to.port;
  ForwardTo forwarded;
  forwarded.group = to.group;
  forwarded.key_host = to.key_host;
  if (to.tls) forwarded.tls = &conf;
  forwarded.tls_name = to.name;
  forwarded.proxy_protocol = *conf.send_proxy_protocol;
  forwarded.takes_unknown_length = *conf.version != HttpVersion::http10;
  if (!conf.body.is_default()) forwarded.own_body = Slice::from(conf.body->eval(x));
  if (*conf.version == HttpVersion::http2) {
    auto client = std::make_unique<ProxyH2Client>(x, conf, std::move(to), std::move(method));
    forwarded.http2 = client.get();
    forwarded.protocol = std::move(client);
  } else {
    forwarded.protocol = std::make_unique<H1Client>(x, conf, std::move(to), std::move(method));
  }
  return Rest(forward(x, conf, std::move(forwarded), outcome));
}

// What variables have become.
Task<void> look_up_and_pass(Exchange& x, const Conf& conf, Destination to, Outcome& outcome) {
  to.group = co_await find_group(x, *to.url);
  if (!to.group) {
    outcome = Response(502);
    co_return;
  }
  Rest rest = pass_to(x, conf, std::move(to), outcome);
  if (rest) co_await rest;
}

Rest pass(Exchange& x, const Conf& conf, Outcome& outcome) {
  if (!serves(x, conf)) return {};
  int status = 500;
  std::optional<Destination> to = conf.target->of(x, status);
  if (!to) {
    outcome = Response(status);
    return {};
  }
  if (to->group) return pass_to(x, conf, std::move(*to), outcome);
  return Rest(look_up_and_pass(x, conf, std::move(*to), outcome));
}

constexpr unsigned kPass = kLocation | kLocationIf | kLimitExcept;
constexpr unsigned kAll = kHttp | kServer | kLocation;

std::vector<Directive> make_rows() {
  std::vector<Directive> rows = forward_directives<Conf>("proxy");
  const std::vector<Directive> tls_rows = upstream_tls_directives<Conf>("proxy");
  rows.insert(rows.end(), tls_rows.begin(), tls_rows.end());
  const Directive own[] = {
      custom<Conf>("proxy_pass", kPass, 1, 1, "URL", set_pass,
                   "Passes the request to this server or upstream; a URI in it takes the place of the location's name.", inherit_pass),
      directive<Conf, HttpVersion>("proxy_http_version", kAll, 1, 1, "1.0 | 1.1 | 2", &Conf::version, parse_version,
                                   "What is spoken to the upstream.", "1.1"),
      choice<Conf, int>("proxy_send_proxy_protocol", kAll, &Conf::send_proxy_protocol, {{"off", 0}, {"v1", 1}, {"v2", 2}},
                        "Ours: each connection to the upstream begins with the PROXY protocol's header of this version, about the client, and "
                        "is for that client alone."),
      list<Conf, SetField>("proxy_set_header", kAll, 2, 2, "field value", &Conf::set_fields, append_set_field,
                           "A field of the request to the upstream; an empty value takes the client's away."),
      value<Conf>("proxy_method", kAll, &Conf::method, "The method, instead of the client's."),
      value<Conf>("proxy_set_body", kAll, &Conf::body, "The body, instead of the client's."),
      flag<Conf>("proxy_pass_trailers", kAll, &Conf::pass_trailers, "Passes the response's trailers to the client."),
      custom<Conf>("proxy_redirect", kAll, 1, 2, "off | default | text replacement", append_checked_redirect,
                   "Changes Location and Refresh of responses.", inherit_redirects, "default"),
      flag<Conf>("proxy_cache_convert_head", kAll, &Conf::cache_convert_head, "HEAD asks for the whole response, for the cache."),
      pairs<Replacements, &Conf::cookie_domains, append_cookie_domain>("proxy_cookie_domain", 2, "off | domain replacement",
                                                                       "Changes Domain of cookies."),
      pairs<Replacements, &Conf::cookie_paths, append_cookie_path>("proxy_cookie_path", 2, "off | path replacement",
                                                                   "Changes Path of cookies."),
      pairs<CookieFlags, &Conf::cookie_flags, append_cookie_flags>("proxy_cookie_flags", kMany, "off | cookie flag ...",
                                                                   "Secure, HttpOnly and SameSite of cookies."),
  };
  rows.insert(rows.end(), std::begin(own), std::end(own));
  return rows;
}

}  // namespace

struct Proxy {
  using Conf = proxy::Conf;
  static constexpr const char* name = "proxy";
  static constexpr const char* summary = "passes requests to HTTP servers";
  static inline const std::vector<Directive> directives = make_rows();
  static constexpr Step steps[] = {step<Conf, active, pass>(Phase::content)};
  static void check(Conf& conf, Settings& settings, Binder& binder) { proxy::check(conf, settings, binder); }
};

}  // namespace seawall::proxy

using seawall::proxy::Proxy;
SEAWALL_MODULE(Proxy)
