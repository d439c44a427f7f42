// See certificate.h.
#include "e2e/certificate.h"

#include <openssl/ec.h>
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
  void operator()(T* t) const { free(t); }
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
  std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>> e(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
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

void set_serial_and_dates(X509* x) {
  std::uint64_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial >> 1);
  X509_gmtime_adj(X509_getm_notBefore(x), -3600);
  X509_gmtime_adj(X509_getm_notAfter(x), 86400);
}

}  // namespace

Certificate make_certificate(const std::vector<std::string>& names, const Certificate* issuer) {
  Key key(EVP_EC_gen("P-256"));
  X509Ptr x(X509_new());
  need(key && x, "new");
  X509_set_version(x.get(), 2);
  set_serial_and_dates(x.get());
  set_subject(x.get(), names.at(0));
  X509_set_pubkey(x.get(), key.get());

  Key issuer_key;
  X509Ptr issuer_x;
  if (issuer != nullptr) {
    Memory pem(BIO_new_mem_buf(issuer->key.data(), int(issuer->key.size())));
    issuer_key.reset(PEM_read_bio_PrivateKey(pem.get(), nullptr, nullptr, nullptr));
    Memory pem_x(BIO_new_mem_buf(issuer->certificate.data(), int(issuer->certificate.size())));
    issuer_x.reset(PEM_read_bio_X509(pem_x.get(), nullptr, nullptr, nullptr));
    need(issuer_key && issuer_x, "issuer");
  }
  X509* const signer = issuer_x ? issuer_x.get() : x.get();
  X509_set_issuer_name(x.get(), X509_get_subject_name(signer));
  add_extension(x.get(), signer, NID_subject_alt_name, alternative_names(names));
  add_extension(x.get(), signer, NID_basic_constraints, issuer != nullptr ? "CA:FALSE" : "CA:TRUE");
  need(X509_sign(x.get(), issuer_key ? issuer_key.get() : key.get(), EVP_sha256()) > 0, "sign");

  Memory out(BIO_new(BIO_s_mem())), out_key(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(out.get(), x.get());
  PEM_write_bio_PrivateKey(out_key.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  Certificate made;
  made.certificate = text_of(out.get());
  made.key = text_of(out_key.get());
  return made;
}

}  // namespace test
