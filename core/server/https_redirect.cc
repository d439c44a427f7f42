#include "seawall/server/https_redirect.h"

#include "seawall/server/core_conf.h"
#include "seawall/server/exchange.h"
#include "seawall/server/vhost.h"
#include "seawall/tls/tls_stream.h"

namespace seawall {
namespace {

int status_for(Method method, int code) {
  if (method == Method::get || method == Method::head) return code;
  return code == 301 ? 308 : code == 302 ? 307 : code;
}

// Without a Host (HTTP/1.0) the address that was asked; empty: that is none of the Internet's.
std::string host_for(const Exchange& x) {
  if (*x.core().server_name_in_redirect && !x.vhost->primary_name.empty()) return x.vhost->primary_name;
  if (!x.request.host.empty()) return std::string(x.request.host);
  const Address& local = x.connection.local;
  if (local.is_unix()) return {};
  return local.family() == AF_INET6 ? "[" + local.text() + "]" : local.text();
}

// The absolute form of a target names its host again (RFC 9112 3.2.2).
void append_target(std::string& location, const RequestHead& request) {
  if (request.target.starts_with('/')) {
    location.append(request.target);
    return;
  }
  location.append(request.raw_path);
  if (request.has_args) location.append("?").append(request.args);
}

}  // namespace

// An internal redirect has been answered for over plain HTTP already: an error page is none to be sent away from.
bool may_be_redirected(const Exchange& x) {
  if (x.parent || x.internal || (x.connection.tls && !x.connection.tls->is_plain())) return false;
  return !x.uri.starts_with(kAcmePath) && x.request.target != "*";
}

Response redirect_to_https(const Exchange& x, HttpsRedirect redirect) {
  const std::string host = host_for(x);
  if (host.empty()) return Response(400);
  std::string location = "https://" + host;
  if (redirect.port != 443) location += ":" + std::to_string(redirect.port);
  append_target(location, x.request);
  Response response(status_for(x.method, redirect.code));
  response.headers.set("Location", location);
  response.close = true;
  return response;
}

}  // namespace seawall
