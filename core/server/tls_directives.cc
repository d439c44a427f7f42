// ssl_* directives: what they parse to, and the TLS context of a server. The variables are in tls_variables.cc.
#include <algorithm>
#include <fstream>
#include <map>

#include "seawall/server/core_module.h"
#include "seawall/tls/error.h"

namespace seawall {
namespace {

void add_certificate(std::vector<std::string>& list, const Invocation& in) {
  if (in.arg(0).find('$') != std::string::npos || in.arg(0).starts_with("data:"))
    throw ConfigError("variables and data: in \"" + in.node.name + "\" are not supported yet");
  list.push_back(in.conf_prefixed(in.arg(0)));
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

// off | none | [builtin[:size]] [shared:name:size]. The cache is one per server and process, shared by its loops, so only
// the size of the larger part counts; nginx keeps about 4000 sessions a megabyte.
std::int64_t parse_session_cache(const Invocation& in) {
  std::int64_t entries = 0;
  for (const std::string& word : in.args()) {
    if (word == "off" || word == "none") continue;
    if (word == "builtin") {
      entries = std::max<std::int64_t>(entries, 20480);
    } else if (word.starts_with("builtin:")) {
      const auto n = size_of(word.substr(8));
      if (!n || *n <= 0) throw_invalid_value(word, "ssl_session_cache");
      entries = std::max(entries, *n);
    } else if (word.starts_with("shared:")) {
      const auto colon = word.find(':', 7);
      const auto n = colon == std::string::npos || colon == 7 ? std::nullopt : size_of(word.substr(colon + 1));
      if (!n) throw ConfigError("invalid session cache \"" + word + "\"");
      if (*n < 8 * 4096) throw ConfigError("session cache \"" + word.substr(7, colon - 7) + "\" is too small");
      entries = std::max<std::int64_t>(entries, *n / 256);
    } else {
      throw ConfigError("invalid session cache \"" + word + "\"");
    }
  }
  return entries;
}

std::vector<std::string> read_passwords(const std::string& path) {
  std::vector<std::string> words;
  if (path.empty()) return words;
  std::ifstream file(path);
  if (!file) throw ConfigError("open() \"" + path + "\" failed");
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    words.push_back(line);
  }
  return words;
}

constexpr unsigned kTls = kHttp | kServer;
const Directive rows[] = {
    flag<TlsConf>("ssl", kTls, &TlsConf::ssl, "Removed from nginx: use `listen ... ssl`. `ssl off` is accepted."),
    list<TlsConf, std::string>("ssl_certificate", kTls, 1, 1, "file", &TlsConf::certificates, add_certificate,
                               "The server's certificate and its chain, PEM, leaf first. Several: one for each key type."),
    list<TlsConf, std::string>("ssl_certificate_key", kTls, 1, 1, "file", &TlsConf::keys, add_certificate,
                               "The key of the certificate at the same position."),
    directive<TlsConf, std::string>("ssl_password_file", kTls, 1, 1, "file", &TlsConf::password_file, parse_conf_path,
                                    "Passwords of encrypted keys, one a line."),
    directive<TlsConf, TlsVersions>("ssl_protocols", kTls, 1, kMany, "version ...", &TlsConf::protocols, parse_versions,
                                    "Protocol versions; without it TLS 1.2 and 1.3.", "TLSv1.2 TLSv1.3"),
    text<TlsConf>("ssl_ciphers", kTls, &TlsConf::ciphers,
                  "TLS 1.2 suites in OpenSSL's list language; without it Mozilla Intermediate's six ECDHE suites."),
    flag<TlsConf>("ssl_prefer_server_ciphers", kTls, &TlsConf::prefer_server_ciphers,
                  "The server's order counts; a client that puts ChaCha20 first still gets it. On by default (ours)."),
    text<TlsConf>("ssl_ecdh_curve", kTls, &TlsConf::ecdh_curve, "Groups; auto is X25519:P-256 (ours)."),
    directive<TlsConf, std::string>("ssl_dhparam", kTls, 1, 1, "file", &TlsConf::dhparam, parse_conf_path,
                                    "Parameters for DHE suites; without it there are none."),
    flag<TlsConf>("ssl_session_tickets", kTls, &TlsConf::session_tickets, "Resumption by tickets."),
    directive<TlsConf, std::int64_t>("ssl_session_cache", kTls, 1, 2, "off | none | builtin[:size] | shared:name:size",
                                     &TlsConf::session_cache, parse_session_cache,
                                     "Resumption by session id, in a cache that all loops share.", "none"),
    duration<TlsConf>("ssl_session_timeout", kTls, &TlsConf::session_timeout, "How long a session may be resumed."),
    warn_when_off(duration<TlsConf>("ssl_handshake_timeout", kTls, &TlsConf::handshake_timeout,
                                    "The handshake's own total clock (ours).")),
    flag<TlsConf>("ssl_reject_handshake", kTls, &TlsConf::reject_handshake, "Refuses every handshake of this server."),
};

}  // namespace

const std::span<const Directive> TlsModule::directives = rows;

std::shared_ptr<TlsContext> make_tls_context(const TlsConf& conf) {
  TlsSettings s;
  s.certificates = *conf.certificates;
  s.keys = *conf.keys;
  if (s.keys.size() < s.certificates.size())
    throw ConfigError("no \"ssl_certificate_key\" is defined for certificate \"" + s.certificates[s.keys.size()] + "\"");
  s.passwords = read_passwords(*conf.password_file);
  s.min_version = conf.protocols->lowest;
  s.max_version = conf.protocols->highest;
  s.disabled_versions = conf.protocols->holes;
  s.ciphers = *conf.ciphers;
  s.prefer_server_ciphers = *conf.prefer_server_ciphers;
  s.groups = *conf.ecdh_curve;
  s.dhparam = *conf.dhparam;
  s.session_tickets = *conf.session_tickets;
  s.session_cache = *conf.session_cache > 0;
  if (s.session_cache) s.session_cache_entries = static_cast<long>(*conf.session_cache);
  s.session_timeout = std::chrono::duration_cast<std::chrono::seconds>(*conf.session_timeout);
  try {
    return TlsContext::make(s);
  } catch (const TlsError& error) {
    throw ConfigError(error.what());
  }
}

}  // namespace seawall
