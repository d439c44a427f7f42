// See certificate.h.
#include "e2e/certificate.h"

#include <openssl/ec.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>

namespace test {
namespace {

template <auto free>
class Free {
 public:
  template <class T>
  void operator()(T* t) const {
    free(t);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, Free<X509_free>>;
using Memory = std::unique_ptr<BIO, Free<BIO_free>>;

void need(bool fine, const char* what) {
  if (!fine) throw std::runtime_error(std::string("making a certificate: ") + what);
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, std::size_t(size));
}

void add_extension(X509* x, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, x, nullptr, nullptr, 0);
  std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>> e(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  need(e && X509_add_ext(x, e.get(), -1) == 1, value.c_str());
}

std::string alternative_names(const std::vector<std::string>& names) {
  std::string list;
  for (const auto& name : names) list += (list.empty() ? "" : ",") + (name.starts_with("IP:") ? name : "DNS:" + name);
  return list;
}

void set_subject(X509* x, const std::string& name) {
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.data()), int(name.size()), -1, 0);
}

void set_serial_and_dates(X509* x, int days) {
  std::uint64_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial >> 1);
  X509_gmtime_adj(X509_getm_notBefore(x), days < 0 ? 86400L * days - 3600 : -3600);
  X509_gmtime_adj(X509_getm_notAfter(x), 86400L * days);
}

Key read_key(const std::string& pem) {
  const Memory bio(BIO_new_mem_buf(pem.data(), int(pem.size())));
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  need(key != nullptr, "key");
  return key;
}

X509Ptr read_certificate(const std::string& pem) {
  const Memory bio(BIO_new_mem_buf(pem.data(), int(pem.size())));
  X509Ptr x(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  need(x != nullptr, "certificate");
  return x;
}

std::string key_text(EVP_PKEY* key, const std::string& password) {
  const Memory out(BIO_new(BIO_s_mem()));
  if (password.empty()) PEM_write_bio_PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  else
    PEM_write_bio_PrivateKey(out.get(), key, EVP_aes_128_cbc(), reinterpret_cast<const unsigned char*>(password.data()),
                             int(password.size()), nullptr, nullptr);
  return text_of(out.get());
}

}  // namespace

Certificate make_certificate(const CertificateOptions& options) {
  const Key key(options.rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256"));
  const X509Ptr x(X509_new());
  need(key && x, "new");
  X509_set_version(x.get(), 2);
  set_serial_and_dates(x.get(), options.days);
  set_subject(x.get(), options.names.at(0));
  const X509Ptr issuer = options.issuer ? read_certificate(options.issuer->certificate) : nullptr;
  X509* const above = issuer ? issuer.get() : x.get();
  X509_set_issuer_name(x.get(), X509_get_subject_name(above));
  X509_set_pubkey(x.get(), key.get());
  add_extension(x.get(), above, NID_subject_alt_name, alternative_names(options.names));
  add_extension(x.get(), above, NID_basic_constraints, options.authority ? "CA:TRUE" : "CA:FALSE");
  if (!options.responder.empty()) add_extension(x.get(), above, NID_info_access, "OCSP;URI:" + options.responder);
  const Key signing = issuer ? read_key(options.issuer->key) : nullptr;
  need(X509_sign(x.get(), signing ? signing.get() : key.get(), EVP_sha256()) > 0, "sign");

  const Memory out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(out.get(), x.get());
  Certificate made;
  made.certificate = text_of(out.get());
  made.key = key_text(key.get(), options.password);
  return made;
}

Certificate make_certificate(const std::vector<std::string>& names) {
  CertificateOptions options;
  options.names = names;
  return make_certificate(options);
}

std::string make_ocsp_response(const Certificate& authority, const Certificate& about, bool revoked) {
  const X509Ptr issuer = read_certificate(authority.certificate), x = read_certificate(about.certificate);
  const std::unique_ptr<OCSP_BASICRESP, Free<OCSP_BASICRESP_free>> basic(OCSP_BASICRESP_new());
  const std::unique_ptr<OCSP_CERTID, Free<OCSP_CERTID_free>> id(OCSP_cert_to_id(nullptr, x.get(), issuer.get()));
  const std::unique_ptr<ASN1_TIME, Free<ASN1_TIME_free>> now(X509_gmtime_adj(nullptr, -60)), next(X509_gmtime_adj(nullptr, 86400));
  OCSP_basic_add1_status(basic.get(), id.get(), revoked ? V_OCSP_CERTSTATUS_REVOKED : V_OCSP_CERTSTATUS_GOOD, 0,
                         revoked ? now.get() : nullptr, now.get(), next.get());
  need(OCSP_basic_sign(basic.get(), issuer.get(), read_key(authority.key).get(), EVP_sha256(), nullptr, 0) == 1, "sign a response");
  const std::unique_ptr<OCSP_RESPONSE, Free<OCSP_RESPONSE_free>> response(
      OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic.get()));
  unsigned char* der = nullptr;
  const int size = i2d_OCSP_RESPONSE(response.get(), &der);
  std::string text(reinterpret_cast<char*>(der), std::size_t(size));
  OPENSSL_free(der);
  return text;
}

std::string make_crl(const Certificate& authority, const std::vector<const Certificate*>& revoked) {
  const std::unique_ptr<X509_CRL, Free<X509_CRL_free>> crl(X509_CRL_new());
  const X509Ptr issuer = read_certificate(authority.certificate);
  const std::unique_ptr<ASN1_TIME, Free<ASN1_TIME_free>> now(X509_gmtime_adj(nullptr, -60)), next(X509_gmtime_adj(nullptr, 86400));
  X509_CRL_set_version(crl.get(), 1);
  X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(issuer.get()));
  X509_CRL_set1_lastUpdate(crl.get(), now.get());
  X509_CRL_set1_nextUpdate(crl.get(), next.get());
  for (const Certificate* one : revoked) {
    X509_REVOKED* const entry = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(read_certificate(one->certificate).get()));
    X509_REVOKED_set_revocationDate(entry, now.get());
    X509_CRL_add0_revoked(crl.get(), entry);
  }
  need(X509_CRL_sign(crl.get(), read_key(authority.key).get(), EVP_sha256()) > 0, "sign a CRL");
  const Memory out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509_CRL(out.get(), crl.get());
  return text_of(out.get());
}

}  // namespace test
