#include "seawall/server/error_pages.h"

#include "seawall/base/text.h"
#include "seawall/http/status.h"
#include "seawall/http/uri.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/exchange.h"
#include "seawall/server/server_name.h"
#include "seawall/server/vhost.h"
#include "seawall/tls/tls_stream.h"

namespace seawall {
namespace {

const ErrorPage* find_page(const CoreConf& core, int status) {
  for (const ErrorPage& page : *core.error_pages)
    if (page.code == status) return &page;
  return nullptr;
}

}  // namespace

std::optional<Outcome> error_page_for(Exchange& x, const Response& response) {
  if (response.status < 300 || !std::holds_alternative<std::monostate>(response.body)) return std::nullopt;
  const ErrorPage* page = find_page(x.core(), response.status);
  if (!page) return std::nullopt;
  std::string to = page->to.eval(x);
  if (!to.starts_with('/') && !to.starts_with('@')) {
    // Another site: a redirect, whose status may be chosen among the redirecting ones.
    Response redirect(is_redirect(page->status) ? page->status : 302);
    redirect.headers.set("Location", to);
    add_default_page(x, redirect);
    return Outcome(std::move(redirect));
  }
  std::string args;
  if (const auto question = to.find('?'); question != std::string::npos && to[0] == '/') {
    args = to.substr(question + 1);
    to.resize(question);
  }
  Internal internal(std::move(to), std::move(args));
  internal.keep_method = internal.to.starts_with('@');
  internal.status = page->status == -1 ? response.status : page->status;
  return Outcome(std::move(internal));
}

void add_default_page(const Exchange& x, Response& response) {
  const std::string_view reason = page_title(response.status);
  if (reason.empty()) return;
  std::string page;
  page.reserve(256);
  page.append("<html>\r\n<head><title>").append(reason).append("</title></head>\r\n<body>\r\n<center><h1>");
  page.append(reason).append("</h1></center>\r\n<hr><center>").append(server_signature(x)).append("</center>\r\n</body>\r\n</html>\r\n");
  if (response.headers.has(FieldId::content_type)) response.headers.remove(FieldId::content_type);
  response.headers.add_view("Content-Type", "text/html", FieldId::content_type);
  response.body = Slice::from(std::move(page));
  response.accept_ranges = false;
  response.last_modified.reset();
  // nginx's internal codes are said to the client as the public one they stand for.
  response.status = public_status(response.status);
}

std::string absolute_location(const Exchange& x, std::string_view path) {
  const CoreConf& core = x.core();
  if (!path.starts_with('/') || !*core.absolute_redirect) return std::string(path);
  const bool tls = x.connection.tls && !x.connection.tls->is_plain();
  std::string location = tls ? "https://" : "http://";
  if (*core.server_name_in_redirect && !x.vhost->primary_name.empty()) location += x.vhost->primary_name;
  else if (!x.request.host.empty()) location += x.request.host;
  else location += x.connection.local.text();
  const int port = x.connection.local.port();
  if (*core.port_in_redirect && port != 0 && port != (tls ? 443 : 80)) location += ":" + std::to_string(port);
  return location.append(path);
}

Response redirect_to(const Exchange& x, int status, std::string_view path, std::string_view args) {
  std::string to = escape_uri(path);
  if (!args.empty()) to.append("?").append(args);
  Response response(status);
  response.headers.set("Location", absolute_location(x, to));
  return response;
}

int status_of(const std::error_code& error) {
  if (error.category() != seawall_category()) return 0;
  switch (static_cast<Errc>(error.value())) {
    case Errc::timed_out: return 408;
    case Errc::bad_request: return 400;
    case Errc::uri_too_long: return 414;
    case Errc::header_too_large: return 494;
    case Errc::body_too_large: return 413;
    case Errc::bad_version: return 505;
    case Errc::not_supported: return 501;
    case Errc::plain_on_tls: return 497;
    case Errc::exhausted: return 503;
    case Errc::cancelled:
    case Errc::peer_closed:
    case Errc::peer_reset:
    case Errc::tls_failed:
    case Errc::truncated:
    case Errc::ok: return 0;
  }
  return 0;
}

}  // namespace seawall
