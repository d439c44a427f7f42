#include "seawall/upstream/upstream_tls.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <map>

#include "seawall/base/error.h"
#include "seawall/net/loop.h"
#include "seawall/server/exchange.h"
#include "seawall/tls/certificate_use.h"
#include "seawall/tls/error.h"

namespace seawall {
namespace {

// Without port and brackets.
std::string bare_name(std::string name) {
  if (name.starts_with('[')) return name.substr(1, std::min(name.find(']'), name.size()) - 1);
  return name.substr(0, name.find(':'));
}

}  // namespace

void UpstreamTlsConf::make_context(const char* prefix, const char* alpn) {
  const std::string name(prefix);
  TlsClientSettings s;
  s.min_version = tls_protocols->lowest;
  s.max_version = tls_protocols->highest;
  s.disabled_versions = tls_protocols->holes;
  s.ciphers = *tls_ciphers;
  s.verify_depth = static_cast<int>(std::min<std::int64_t>(*tls_verify_depth, 100));
  s.keeps_sessions = *tls_session_reuse;
  s.commands = *tls_commands;
  s.alpn = alpn;
  s.passwords = *tls_passwords;
  if (*tls_verify) {
    if (tls_trusted_certificate->empty()) throw ConfigError("no " + name + "_ssl_trusted_certificate for " + name + "_ssl_verify");
    s.trusted_certificate = *tls_trusted_certificate;
    s.crl = *tls_crl;
  }
  if (!tls_certificate.is_default()) {
    if (tls_certificate_key.is_default())
      throw ConfigError("no \"" + name + "_ssl_certificate_key\" is defined for certificate \"" + tls_certificate->name + "\"");
    if (!tls_certificate->varies() && !tls_certificate_key->varies()) {
      s.certificate = tls_certificate->name;
      s.key = tls_certificate_key->name;
    }
  }
  try {
    context = std::make_shared<TlsClientContext>(s);
  } catch (const TlsError& error) {
    throw ConfigError(error.what());
  }
}

std::string UpstreamTlsConf::identity(Exchange& x, const std::string& name) const {
  std::string text = bare_name(tls_name->empty() ? name : tls_name->eval(x));
  if (tls_certificate->varies() || tls_certificate_key->varies()) text.append(1, '\n').append(tls_certificate->eval(x));
  return text;
}

std::unique_ptr<TlsClientStream> UpstreamTlsConf::make_stream(Fd fd, Exchange& x, std::string name, std::string& checked_name) const {
  auto stream = std::make_unique<TlsClientStream>(std::move(fd), *context);
  if (!tls_name->empty()) name = tls_name->eval(x);
  checked_name = bare_name(std::move(name));
  if (*tls_server_name) stream->set_server_name(checked_name);
  if (tls_certificate->varies() || tls_certificate_key->varies()) {
    const std::string certificate = tls_certificate->eval(x);
    if (!certificate.empty() && certificate != tls_certificate->prefix) {
      const std::string key = tls_certificate_key->eval(x);
      CertificateCache* const cache = tls_certificate_cache->get();
      const auto pair = cache ? cache->get(certificate, key, *tls_passwords, x.loop.now()) : LoadedPair::load(certificate, key, *tls_passwords);
      pair->give(stream->ssl());
    }
  }
  return stream;
}

TlsVersions parse_upstream_tls_versions(const Invocation& in) {
  static const std::map<std::string, int> known = {{"TLSv1", TLS1_VERSION}, {"TLSv1.1", TLS1_1_VERSION}, {"TLSv1.2", TLS1_2_VERSION},
                                                   {"TLSv1.3", TLS1_3_VERSION}};
  std::vector<int> wanted;
  for (const std::string& word : in.args()) {
    const auto found = known.find(word);
    if (found != known.end()) wanted.push_back(found->second);
    else if (word == "SSLv2" || word == "SSLv3") in.warn("\"" + word + "\" is not supported, ignored");
    else throw ConfigError("invalid value \"" + word + "\"");
  }
  if (wanted.empty()) throw ConfigError("\"" + in.node.name + "\" names no protocol version that is supported");
  TlsVersions versions;
  versions.lowest = *std::min_element(wanted.begin(), wanted.end());
  versions.highest = *std::max_element(wanted.begin(), wanted.end());
  for (int v = versions.lowest; v < versions.highest; ++v)
    if (std::find(wanted.begin(), wanted.end(), v) == wanted.end()) versions.holes.push_back(v);
  return versions;
}

std::string parse_pem_path(const Invocation& in) { return in.conf_prefixed(in.arg(0)); }

PemName parse_pem_name(const Invocation& in) {
  PemName pem;
  pem.name = is_pem_data(in.arg(0)) ? in.arg(0) : in.conf_prefixed(in.arg(0));
  pem.value = in.compile(in.arg(0));
  pem.prefix = in.conf_prefixed("");
  return pem;
}

std::vector<std::string> parse_password_file(const Invocation& in) {
  const std::string path = in.conf_prefixed(in.arg(0));
  std::ifstream file(path);
  if (!file) throw ConfigError("open() \"" + path + "\" failed " + describe(system_error_code(errno)));
  std::vector<std::string> words;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) words.push_back(line);
  }
  if (words.empty()) words.emplace_back();
  return words;
}

void append_tls_command(std::vector<std::pair<std::string, std::string>>& list, const Invocation& in) {
  list.emplace_back(in.arg(0), in.arg(1));
}

}  // namespace seawall
