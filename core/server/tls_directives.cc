// ssl_* directives: what they parse to. What is made of it is in tls_settings.cc, the variables are in tls_variables.cc and
// tls_client_variables.cc.
#include <algorithm>
#include <cerrno>
#include <fstream>
#include <map>

#include "seawall/base/error.h"
#include "seawall/base/text.h"
#include "seawall/server/certificate_cache_conf.h"
#include "seawall/server/client_status.h"
#include "seawall/server/core_module.h"
#include "seawall/tls/error.h"
#include "seawall/tls/stapling.h"

namespace seawall {
namespace {

void add_pem(std::vector<PemName>& list, const Invocation& in) {
  PemName pem;
  pem.name = is_pem_data(in.arg(0)) ? in.arg(0) : in.conf_prefixed(in.arg(0));
  pem.value = in.compile(in.arg(0));
  pem.prefix = in.conf_prefixed("");
  list.push_back(std::move(pem));
}

void add_conf_path(std::vector<std::string>& list, const Invocation& in) { list.push_back(in.conf_prefixed(in.arg(0))); }

// Commands that name a file name it as other directives do.
void add_command(std::vector<std::pair<std::string, std::string>>& list, const Invocation& in) {
  const std::unique_ptr<SSL_CONF_CTX, OpensslFree<SSL_CONF_CTX_free>> conf(SSL_CONF_CTX_new());
  SSL_CONF_CTX_set_flags(conf.get(), SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_SERVER | SSL_CONF_FLAG_CERTIFICATE);
  const int type = SSL_CONF_cmd_value_type(conf.get(), in.arg(0).c_str());
  const bool path = type == SSL_CONF_TYPE_FILE || type == SSL_CONF_TYPE_DIR;
  list.emplace_back(in.arg(0), path ? in.conf_prefixed(in.arg(1)) : in.arg(1));
}

TlsVersions parse_versions(const Invocation& in) {
  static const std::map<std::string, int> known = {
      {"SSLv2", 0}, {"SSLv3", 0}, {"TLSv1", TLS1_VERSION}, {"TLSv1.1", TLS1_1_VERSION}, {"TLSv1.2", TLS1_2_VERSION},
      {"TLSv1.3", TLS1_3_VERSION}};
  std::vector<int> wanted;
  for (const std::string& word : in.args()) {
    const auto it = known.find(word);
    if (it == known.end()) throw_invalid_value(word, "ssl_protocols");
    if (it->second == 0) in.warn("\"" + word + "\" is not supported, ignored");
    else wanted.push_back(it->second);
  }
  if (wanted.empty()) throw ConfigError("\"ssl_protocols\" names no protocol version that is supported");
  TlsVersions versions;
  versions.lowest = *std::min_element(wanted.begin(), wanted.end());
  versions.highest = *std::max_element(wanted.begin(), wanted.end());
  for (int v = versions.lowest; v < versions.highest; ++v)
    if (std::find(wanted.begin(), wanted.end(), v) == wanted.end()) versions.holes.push_back(v);
  return versions;
}

std::string parse_conf_path(const Invocation& in) { return in.conf_prefixed(in.arg(0)); }

// off | none | [builtin[:size]] [shared:name:size].
SessionCacheConf parse_session_cache(const Invocation& in) {
  SessionCacheConf conf;
  for (const std::string& word : in.args()) {
    const auto invalid = [&] { return ConfigError("invalid session cache \"" + word + "\""); };
    if (word == "off") {
      conf.ids = false;
    } else if (word == "none") {
      conf.ids = true;
    } else if (word == "builtin") {
      conf.builtin = 20480;
    } else if (word.starts_with("builtin:")) {
      const auto n = parse_decimal(word.substr(8));
      if (!n || *n > 1'000'000'000) throw invalid();
      conf.builtin = static_cast<std::int64_t>(*n);
    } else if (word.starts_with("shared:")) {
      const auto colon = word.find(':', 7);
      const auto n = colon == std::string::npos || colon == 7 ? std::nullopt : size_of(word.substr(colon + 1));
      if (!n || *n > (std::int64_t{1} << 31)) throw invalid();
      if (*n < 8 * 4096) throw ConfigError("session cache \"" + word + "\" is too small");
      conf.shared = word.substr(7, colon - 7);
      conf.size = *n;
    } else {
      throw invalid();
    }
  }
  return conf;
}

std::int64_t parse_record_size(const Invocation& in) {
  const std::int64_t size = parse_size(in);
  if (size <= 0) throw_invalid_value(in.arg(0), "ssl_buffer_size");
  return std::min<std::int64_t>(size, SSL3_RT_MAX_PLAIN_LENGTH);
}

// As in nginx at once: the file may be a pipe that can be read once.
std::vector<std::string> read_passwords(const Invocation& in) {
  const std::string path = in.conf_prefixed(in.arg(0));
  std::vector<std::string> words;
  std::ifstream file(path);
  if (!file) throw ConfigError("open() \"" + path + "\" failed " + describe(system_error_code(errno)));
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) words.push_back(line);
  }
  if (words.empty()) words.emplace_back();
  return words;
}

std::shared_ptr<const Responder> parse_responder(const Invocation& in) {
  try {
    return std::make_shared<const Responder>(Responder::parse(in.arg(0)));
  } catch (const TlsError& error) {
    throw ConfigError(std::string(error.what()) + " in OCSP responder \"" + in.arg(0) + "\"");
  }
}

// One of a name is one for all servers, as long as they say the same size.
std::shared_ptr<OcspCache> parse_ocsp_cache(const Invocation& in) {
  static std::map<std::string, std::shared_ptr<OcspCache>> caches;
  constexpr std::int64_t kEntry = 256;  // bytes, about
  const std::string& word = in.arg(0);
  if (word == "off") return nullptr;
  const auto colon = word.starts_with("shared:") ? word.find(':', 7) : std::string::npos;
  const auto size = colon == std::string::npos || colon == 7 ? std::nullopt : size_of(word.substr(colon + 1));
  if (!size) throw ConfigError("invalid OCSP cache \"" + word + "\"");
  if (*size < 8 * 4096) throw ConfigError("OCSP cache \"" + word + "\" is too small");
  auto& cache = caches[word];
  if (!cache) cache = std::make_shared<OcspCache>(static_cast<std::size_t>(*size / kEntry));
  return cache;
}

// Plain text where TLS was asked for would be worse than no start.
bool parse_ssl(const Invocation& in) {
  if (in.arg(0) == "off") return false;
  if (in.arg(0) != "on") throw ConfigError("invalid value \"" + in.arg(0) + "\" in \"ssl\" directive, it must be \"on\" or \"off\"");
  throw ConfigError("the \"ssl\" directive is not supported any more, use the \"listen ... ssl\" directive instead");
}

constexpr unsigned kTls = kHttp | kServer;
const Directive rows[] = {
    directive<TlsConf, bool>("ssl", kTls, 1, 1, "off", &TlsConf::ssl, parse_ssl,
                             "Removed from nginx: use `listen ... ssl`. `ssl off` is accepted, `on` is an error.", "off"),
    list<TlsConf, PemName>("ssl_certificate", kTls, 1, 1, "file | data:...", &TlsConf::certificates, add_pem,
                           "The server's certificate and its chain, PEM, leaf first. Several: one for each key type. With "
                           "variables: loaded for each handshake."),
    list<TlsConf, PemName>("ssl_certificate_key", kTls, 1, 1, "file | data:...", &TlsConf::keys, add_pem,
                           "The key of the certificate at the same position."),
    directive<TlsConf, std::vector<std::string>>("ssl_password_file", kTls, 1, 1, "file", &TlsConf::passwords, read_passwords,
                                                 "Passwords of encrypted keys, one a line."),
    directive<TlsConf, std::shared_ptr<CertificateCache>>("ssl_certificate_cache", kTls, 1, 3, kCertificateCacheKind,
                                                          &TlsConf::certificate_cache, parse_certificate_cache,
                                                          "Keeps pairs whose paths have variables.", "off"),
    choice<TlsConf, TlsProfile>("ssl_profile", kTls, &TlsConf::profile,
                                {{"modern", TlsProfile::modern}, {"intermediate", TlsProfile::intermediate}, {"old", TlsProfile::old}},
                                "Mozilla's profile: modern is TLS 1.3 alone, old takes TLS 1.0 and suites of old clients; "
                                "ssl_protocols and ssl_ciphers still win (ours)."),
    directive<TlsConf, TlsVersions>("ssl_protocols", kTls, 1, kMany, "version ...", &TlsConf::protocols, parse_versions,
                                    "Protocol versions; without it TLS 1.2 and 1.3.", "TLSv1.2 TLSv1.3"),
    text<TlsConf>("ssl_ciphers", kTls, &TlsConf::ciphers,
                  "TLS 1.2 suites in OpenSSL's list language; without it Mozilla Intermediate's six ECDHE suites."),
    flag<TlsConf>("ssl_prefer_server_ciphers", kTls, &TlsConf::prefer_server_ciphers,
                  "The server's order counts; a client that puts ChaCha20 first still gets it. On by default (ours)."),
    text<TlsConf>("ssl_ecdh_curve", kTls, &TlsConf::ecdh_curve, "Groups; auto is X25519:P-256 (ours)."),
    directive<TlsConf, std::string>("ssl_dhparam", kTls, 1, 1, "file", &TlsConf::dhparam, parse_conf_path,
                                    "Parameters for DHE suites; without it there are none."),
    list<TlsConf, std::pair<std::string, std::string>>("ssl_conf_command", kTls, 2, 2, "name value", &TlsConf::commands,
                                                       add_command, "A command of OpenSSL's configuration, after all others."),
    choice<TlsConf, VerifyClient>("ssl_verify_client", kTls, &TlsConf::verify,
                                  {{"off", VerifyClient::off}, {"on", VerifyClient::on}, {"optional", VerifyClient::optional},
                                   {"optional_no_ca", VerifyClient::optional_no_ca}},
                                  "Asks clients for a certificate: on wants one, optional_no_ca leaves whom to trust to others."),
    number<TlsConf>("ssl_verify_depth", kTls, &TlsConf::verify_depth, "How long a client's chain may be."),
    directive<TlsConf, std::string>("ssl_client_certificate", kTls, 1, 1, "file", &TlsConf::client_certificate, parse_conf_path,
                                    "The authorities of client certificates; their names are sent to clients."),
    directive<TlsConf, std::string>("ssl_trusted_certificate", kTls, 1, 1, "file", &TlsConf::trusted_certificate,
                                    parse_conf_path, "More authorities, whose names are not sent."),
    directive<TlsConf, std::string>("ssl_crl", kTls, 1, 1, "file", &TlsConf::crl, parse_conf_path,
                                    "Revoked client certificates, for each authority of the chain."),
    choice<TlsConf, OcspUse>("ssl_ocsp", kTls, &TlsConf::ocsp,
                             {{"off", OcspUse::off}, {"on", OcspUse::on}, {"leaf", OcspUse::leaf}},
                             "Asks the issuers' OCSP responders whether a client's certificates have been revoked."),
    directive<TlsConf, std::shared_ptr<const Responder>>("ssl_ocsp_responder", kTls, 1, 1, "url", &TlsConf::ocsp_responder, parse_responder,
                                                         "Whom to ask, instead of the URLs in the certificates; http only."),
    directive<TlsConf, std::shared_ptr<OcspCache>>("ssl_ocsp_cache", kTls, 1, 1, "off | shared:name:size", &TlsConf::ocsp_cache,
                                                   parse_ocsp_cache, "Remembers what responders have said, until a reload (ours).", "off"),
    flag<TlsConf>("ssl_session_tickets", kTls, &TlsConf::session_tickets,
                  "Resumption by tickets, whose keys rotate every ssl_session_timeout, also over reloads."),
    list<TlsConf, std::string>("ssl_session_ticket_key", kTls, 1, 1, "file", &TlsConf::ticket_keys, add_conf_path,
                               "Keys of tickets, 48 or 80 random bytes; several: the first seals, all open."),
    directive<TlsConf, SessionCacheConf>("ssl_session_cache", kTls, 1, 2, "off | none | builtin[:size] | shared:name:size",
                                         &TlsConf::session_cache, parse_session_cache,
                                         "Resumption by session id; a shared cache outlives a reload.", "none"),
    duration<TlsConf>("ssl_session_timeout", kTls, &TlsConf::session_timeout, "How long a session may be resumed."),
    warn_when_off(duration<TlsConf>("ssl_handshake_timeout", kTls, &TlsConf::handshake_timeout,
                                    "The handshake's own total clock (ours).")),
    flag<TlsConf>("ssl_early_data", kTls, &TlsConf::early_data,
                  "Requests within the handshake of clients that resume, each once (ours): $ssl_early_data says so, 425 is the "
                  "application's. The address's default server must have it on, too."),
    directive<TlsConf, std::int64_t>("ssl_buffer_size", kTls, 1, 1, "size", &TlsConf::buffer_size, parse_record_size,
                                     "The longest record; without it the first ones after a pause are 4k, so that the client "
                                     "can begin with them, then 16k (ours).", "dynamic"),
    flag<TlsConf>("ssl_stapling", kTls, &TlsConf::stapling,
                  "OCSP responses for clients that ask, fetched in the background."),
    directive<TlsConf, std::string>("ssl_stapling_file", kTls, 1, 1, "file", &TlsConf::stapling_file, parse_conf_path,
                                    "A response, DER, instead of fetching one."),
    text<TlsConf>("ssl_stapling_responder", kTls, &TlsConf::stapling_responder,
                  "Whom to ask, instead of the URL in the certificate; http only."),
    flag<TlsConf>("ssl_stapling_verify", kTls, &TlsConf::stapling_verify,
                  "Whether who signed the response is verified, too, with ssl_trusted_certificate."),
    flag<TlsConf>("ssl_reject_handshake", kTls, &TlsConf::reject_handshake, "Refuses every handshake of this server."),
};

}  // namespace

const std::span<const Directive> TlsModule::directives = rows;

}  // namespace seawall
