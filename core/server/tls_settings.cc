// What the ssl_* directives of a server make: the settings of its TLS context.
#include <algorithm>
#include <tuple>

#include "seawall/config/tree.h"
#include "seawall/server/tls_conf.h"
#include "seawall/tls/error.h"

namespace seawall {
namespace {

void set_pairs(TlsSettings& s, const TlsConf& conf) {
  const auto& certificates = *conf.certificates;
  const auto& keys = *conf.keys;
  if (keys.size() < certificates.size())
    throw ConfigError("no \"ssl_certificate_key\" is defined for certificate \"" + certificates.back().name + "\"");
  for (std::size_t i = 0; i < certificates.size(); ++i) {
    TlsSettings::Pair pair;
    pair.certificate = certificates[i].name;
    pair.key = keys[i].name;
    s.pairs.push_back(std::move(pair));
    s.pairs_vary |= certificates[i].varies() || keys[i].varies();
  }
}

// Mozilla's Old: for clients of before 2014. OpenSSL would refuse its versions and suites at a higher level.
constexpr const char* kOldSuites =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:"
    "ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:"
    "AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA256:AES256-SHA256:AES128-SHA:AES256-SHA:@SECLEVEL=0";

void set_profile(TlsSettings& s, TlsProfile profile) {
  if (profile == TlsProfile::modern) s.min_version = TLS1_3_VERSION;
  if (profile != TlsProfile::old) return;
  s.min_version = TLS1_VERSION;
  s.ciphers = kOldSuites;
}

void set_verification(TlsSettings& s, const TlsConf& conf) {
  s.verify = *conf.verify;
  s.verify_depth = static_cast<int>(std::min<std::int64_t>(*conf.verify_depth, 100));
  s.client_certificate = *conf.client_certificate;
  s.trusted_certificate = *conf.trusted_certificate;
  s.crl = *conf.crl;
  const bool needs_authorities = s.verify == VerifyClient::on || s.verify == VerifyClient::optional;
  if (needs_authorities && s.client_certificate.empty() && s.trusted_certificate.empty())
    throw ConfigError("no ssl_client_certificate or ssl_trusted_certificate for ssl_verify_client");
}

void set_sessions(TlsSettings& s, const TlsConf& conf) {
  s.session_tickets = *conf.session_tickets;
  s.session_ids = conf.session_cache->ids;
  s.builtin_sessions = conf.session_cache->builtin;
  s.session_cache = conf.session_cache->shared;
  s.session_cache_size = conf.session_cache->size;
  s.session_timeout = std::chrono::duration_cast<std::chrono::seconds>(*conf.session_timeout);
  s.ticket_keys = *conf.ticket_keys;
}

TlsSettings settings_of(const TlsConf& conf) {
  TlsSettings s;
  set_pairs(s, conf);
  s.given = conf.given;
  s.pairs_asked = conf.certificate_hook != nullptr;
  s.passwords = *conf.passwords;
  set_profile(s, *conf.profile);
  if (!conf.protocols.is_default()) {
    s.min_version = conf.protocols->lowest;
    s.max_version = conf.protocols->highest;
    s.disabled_versions = conf.protocols->holes;
  }
  if (!conf.ciphers.is_default()) s.ciphers = *conf.ciphers;
  s.prefer_server_ciphers = *conf.prefer_server_ciphers;
  s.groups = *conf.ecdh_curve;
  s.dhparam = *conf.dhparam;
  s.commands = *conf.commands;
  set_verification(s, conf);
  set_sessions(s, conf);
  s.early_data = *conf.early_data;
  s.record_size = static_cast<std::size_t>(*conf.buffer_size);
  s.stapling = *conf.stapling;
  s.stapling_verify = *conf.stapling_verify;
  s.stapling_file = *conf.stapling_file;
  s.stapling_responder = *conf.stapling_responder;
  return s;
}

}  // namespace

std::string PemName::eval(Exchange& x) const {
  if (!varies()) return name;
  std::string path = value.eval(x);
  return path.starts_with('/') || is_pem_data(path) ? path : prefix + path;
}

bool verify_alike(const TlsConf& a, const TlsConf& b) {
  const auto all = [](const TlsConf& conf) {
    return std::tie(*conf.ocsp, *conf.ocsp_responder, *conf.verify_depth, *conf.client_certificate, *conf.trusted_certificate, *conf.crl);
  };
  return (*a.verify == VerifyClient::off) == (*b.verify == VerifyClient::off) && all(a) == all(b);
}

std::shared_ptr<TlsContext> make_tls_context(const TlsConf& conf, const std::function<void(const std::string&)>& warn) {
  if (*conf.ocsp != OcspUse::off && *conf.verify == VerifyClient::optional_no_ca)
    throw ConfigError("\"ssl_ocsp\" is incompatible with \"ssl_verify_client optional_no_ca\"");
  try {
    auto context = TlsContext::make(settings_of(conf));
    if (const auto suites = suites_without_forward_secrecy(*context); !conf.ciphers.is_default() && !suites.empty())
      warn("\"ssl_ciphers\" allows \"" + suites.front() + "\", which has no forward secrecy, in " + conf.ciphers.place().text());
    for (const std::string& warning : context->warnings()) warn(warning);
    return context;
  } catch (const TlsError& error) {
    throw ConfigError(error.what());
  }
}

}  // namespace seawall
