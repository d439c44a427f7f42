// TLS towards upstreams: the *_ssl_* settings that proxy and its kin have in common, as a base of their Conf, the rows that fill it,
// and the stream they make. Written at start-up, read by every loop.
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "seawall/base/export.h"
#include "seawall/config/directive.h"
#include "seawall/config/setting.h"
#include "seawall/server/certificate_cache_conf.h"
#include "seawall/server/tls_conf.h"
#include "seawall/tls/client_stream.h"
#include "seawall/upstream/forward_conf.h"

namespace seawall {

class SEAWALL_API UpstreamTlsConf {
 public:
  Setting<bool> tls_session_reuse{true}, tls_server_name{false}, tls_verify{false};
  Setting<std::int64_t> tls_verify_depth{1};
  Setting<TlsVersions> tls_protocols;
  Setting<std::string> tls_ciphers{std::string("DEFAULT")}, tls_trusted_certificate{std::string()}, tls_crl{std::string()};
  Setting<Template> tls_name;
  Setting<PemName> tls_certificate, tls_certificate_key;
  Setting<std::vector<std::string>> tls_passwords;
  Setting<std::shared_ptr<CertificateCache>> tls_certificate_cache;  // null: pairs with variables are loaded each time
  Setting<std::vector<std::pair<std::string, std::string>>> tls_commands;

  // After inheritance, where requests are passed on with TLS. `alpn`: what is offered, in wire format. ConfigError in nginx's words.
  void make_context(const char* prefix, const char* alpn = "");
  std::shared_ptr<const TlsClientContext> context;

  // What tells one such stream from another to the same server: the checked name, and our certificate where that varies. `name` as
  // for make_stream(). A connection or a session of one identity is not another's.
  std::string identity(Exchange& x, const std::string& name) const;

  // A stream on this descriptor that will speak to the server called `name` (with its port, brackets, as written; tls_name instead
  // where it is written). `checked_name` is what its certificate must be for. TlsError: a certificate that cannot be loaded.
  std::unique_ptr<TlsClientStream> make_stream(Fd fd, Exchange& x, std::string name, std::string& checked_name) const;
};

SEAWALL_API TlsVersions parse_upstream_tls_versions(const Invocation& in);
SEAWALL_API PemName parse_pem_name(const Invocation& in);
SEAWALL_API std::string parse_pem_path(const Invocation& in);
SEAWALL_API std::vector<std::string> parse_password_file(const Invocation& in);
SEAWALL_API void append_tls_command(std::vector<std::pair<std::string, std::string>>& list, const Invocation& in);

template <class C>
std::vector<Directive> upstream_tls_directives(const char* prefix) {
  const auto n = [prefix](const char* name) { return prefixed_name(prefix, name); };
  constexpr unsigned w = kHttp | kServer | kLocation;
  return {
      flag<C>(n("_ssl_session_reuse"), w, &C::tls_session_reuse, "Resumes TLS sessions with the upstream."),
      flag<C>(n("_ssl_server_name"), w, &C::tls_server_name, "Says the server's name in the handshake (SNI)."),
      flag<C>(n("_ssl_verify"), w, &C::tls_verify, "The upstream's certificate must be trusted and for its name."),
      number<C>(n("_ssl_verify_depth"), w, &C::tls_verify_depth, "How long its chain may be."),
      directive<C, TlsVersions>(n("_ssl_protocols"), w, 1, kMany, "version ...", &C::tls_protocols, parse_upstream_tls_versions,
                                "Protocol versions towards the upstream.", "TLSv1.2 TLSv1.3"),
      text<C>(n("_ssl_ciphers"), w, &C::tls_ciphers, "Suites towards the upstream, in OpenSSL's list language."),
      directive<C, std::string>(n("_ssl_trusted_certificate"), w, 1, 1, "file", &C::tls_trusted_certificate, parse_pem_path,
                                "The authorities that are trusted."),
      directive<C, std::string>(n("_ssl_crl"), w, 1, 1, "file", &C::tls_crl, parse_pem_path, "What they have revoked."),
      value<C>(n("_ssl_name"), w, &C::tls_name, "The server's name, where it is not the one the request is passed to."),
      directive<C, PemName>(n("_ssl_certificate"), w, 1, 1, "file", &C::tls_certificate, parse_pem_name, "Our certificate, PEM."),
      directive<C, PemName>(n("_ssl_certificate_key"), w, 1, 1, "file", &C::tls_certificate_key, parse_pem_name, "Its key."),
      directive<C, std::shared_ptr<CertificateCache>>(n("_ssl_certificate_cache"), w, 1, 3, kCertificateCacheKind,
                                                      &C::tls_certificate_cache, parse_certificate_cache,
                                                      "Keeps pairs whose paths have variables.", "off"),
      directive<C, std::vector<std::string>>(n("_ssl_password_file"), w, 1, 1, "file", &C::tls_passwords, parse_password_file,
                                             "Passwords of encrypted keys, one a line."),
      list<C, std::pair<std::string, std::string>>(n("_ssl_conf_command"), w, 2, 2, "name value", &C::tls_commands, append_tls_command,
                                                   "A command of OpenSSL's configuration."),
  };
}

}  // namespace seawall
