#include "seawall/process/configuration_metrics.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>

#include <ctime>
#include <memory>
#include <set>

#include "seawall/base/check.h"
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
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    static constexpr char digits[] = "0123456789abcdef";
    text += digits[bytes[i] >> 4];
    text += digits[bytes[i] & 15];
  }
  return text;
}

double expiry_of(const X509* certificate) {
  tm when{};
  return ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &when) == 1 ? static_cast<double>(::timegm(&when)) : 0;
}

// Each certificate of a context; a connection's copy is looked at, as the context's "current" one is everybody's.
void collect_certificates(Family& out, const TlsContext& context) {
  const auto& pairs = context.settings().pairs;
  const TlsContext::Handle handle = context.current();
  const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(handle.get()), SSL_free);
  if (!ssl || pairs.empty() || context.settings().pairs_vary) return;
  std::size_t i = 0;
  for (long more = SSL_set_current_cert(ssl.get(), SSL_CERT_SET_FIRST); more == 1; more = SSL_set_current_cert(ssl.get(), SSL_CERT_SET_NEXT)) {
    const X509* const certificate = SSL_get_certificate(ssl.get());
    if (!certificate) continue;
    char name[256] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
    out.add(expiry_of(certificate), {{"certificate", pairs[std::min(i++, pairs.size() - 1)].certificate}, {"name", name},
                                     {"key", OBJ_nid2sn(EVP_PKEY_get_base_id(X509_get0_pubkey(certificate)))}});
  }
}

}  // namespace

ConfigurationMetrics::ConfigurationMetrics(const ConfigTree& tree)
    : file_(tree.files.empty() ? "" : tree.files.front().path), hash_(hash_of(tree)), loaded_(static_cast<double>(::time(nullptr))) {}

void ConfigurationMetrics::collect(Gathering& out, const HttpConf& http) const {
  out.gauge("seawall_config_info", "The configuration in force, and the SHA-256 of its files.").add(1, {{"file", file_}, {"hash", hash_}});
  out.gauge("seawall_config_load_time_seconds", "When it was read, in seconds since the epoch.").add(loaded_);
  Family& expiry = out.gauge("seawall_certificate_expiry_seconds", "When certificates of servers end, in seconds since the epoch.");
  for (const auto& context : http.tls_contexts()) collect_certificates(expiry, *context);
}

}  // namespace seawall
