#include "seawall/process/configuration_metrics.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>
#include <memory>
#include <set>
#include <span>
#include <string>

#include "seawall/base/check.h"
#include "seawall/base/hex.h"
#include "seawall/config/tree.h"
#include "seawall/observe/gathering.h"
#include "seawall/server/http_conf.h"
#include "seawall/tls/context.h"

namespace seawall {
namespace {

std::string hash_of(const ConfigTree& tree) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  CHECK(digest && EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr) == 1);
  for (const ConfigFile& file : tree.files) CHECK(EVP_DigestUpdate(digest.get(), file.text.data(), file.text.size()) == 1);
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  CHECK(EVP_DigestFinal_ex(digest.get(), bytes, &size) == 1);
  return hex_of(std::span(bytes, size));
}

double expiry_of(const X509* certificate) {
  tm when{};
  return ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &when) == 1 ? static_cast<double>(::timegm(&when)) : 0;
}

// The common name; where there is none, as in those of ACME, the first DNS name.
std::string name_of(const X509* certificate) {
  char common[256];
  if (X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, common, sizeof common) > 0) return common;
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)), GENERAL_NAMES_free);
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i)
    if (const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i); name->type == GEN_DNS)
      return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)), static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName))};
  return {};
}

class Certificates {
 public:
  explicit Certificates(Family& out) : out_(out) {}

  // Each certificate of a context; a connection's copy is looked at, as the context's "current" one is everybody's.
  void add_all_of(const TlsContext& context) {
    const TlsSettings& settings = context.settings();
    if (settings.pairs_vary) return;
    const TlsContext::Handle handle = context.current();
    const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(handle.get()), SSL_free);
    if (!ssl) return;
    std::size_t i = 0;
    for (long more = SSL_set_current_cert(ssl.get(), SSL_CERT_SET_FIRST); more == 1; more = SSL_set_current_cert(ssl.get(), SSL_CERT_SET_NEXT)) {
      const std::string file = i < settings.pairs.size() ? settings.pairs[i].certificate : "";  // one that is given has none
      if (const X509* const certificate = SSL_get_certificate(ssl.get())) add(file, *certificate);
      ++i;
    }
  }

 private:
  // Several servers may have the same.
  void add(const std::string& file, const X509& certificate) {
    const std::string name = name_of(&certificate), key = OBJ_nid2sn(EVP_PKEY_get_base_id(X509_get0_pubkey(&certificate)));
    if (seen_.insert({file, name, key}).second) out_.add(expiry_of(&certificate), {{"certificate", file}, {"name", name}, {"key", key}});
  }

  Family& out_;
  std::set<std::array<std::string, 3>> seen_;
};

}  // namespace

ConfigurationMetrics::ConfigurationMetrics(const ConfigTree& tree)
    : file_(tree.files.empty() ? "" : tree.files.front().path), hash_(hash_of(tree)), loaded_(static_cast<double>(::time(nullptr))) {}

void ConfigurationMetrics::collect(Gathering& out, const HttpConf& http) const {
  out.gauge("seawall_config_info", "The configuration in force, and the SHA-256 of its files.").add(1, {{"file", file_}, {"hash", hash_}});
  out.gauge("seawall_config_load_time_seconds", "When it was read, in seconds since the epoch.").add(loaded_);
  Certificates certificates(out.gauge("seawall_certificate_expiry_seconds", "When certificates of servers end, in seconds since the epoch."));
  for (const auto& context : http.tls_contexts()) certificates.add_all_of(*context);
}

}  // namespace seawall
