#include "seawall/process/tls_grade.h"

#include <openssl/objects.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>

namespace seawall {
namespace {

constexpr int kSoonDays = 14;

bool has(const std::vector<std::string>& list, const char* word) { return std::find(list.begin(), list.end(), word) != list.end(); }

int days_left(X509* certificate) {
  int days = 0, seconds = 0;
  ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(certificate));
  return days;
}

int digest_of(X509* certificate) {
  int digest = NID_undef;
  OBJ_find_sigid_algs(X509_get_signature_nid(certificate), &digest, nullptr);
  return digest;
}

std::string printed(void (*print)(BIO*, X509*), X509* certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  print(bio.get(), certificate);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

void grade_key(X509* certificate, TlsGrade& grade) {
  const EVP_PKEY* const key = X509_get0_pubkey(certificate);
  const int bits = EVP_PKEY_get_bits(key), least = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA ? 2048 : 256;
  if (EVP_PKEY_get_base_id(key) != EVP_PKEY_ED25519 && bits < least)
    grade.cap(TlsGrade::c, "the certificate's key has " + std::to_string(bits) + " bits, " + std::to_string(least) + " are the least");
  if (const int digest = digest_of(certificate); digest == NID_sha1 || digest == NID_md5)
    grade.cap(TlsGrade::f, std::string("the certificate is signed with ") + OBJ_nid2ln(digest));
}

// A wildcard of server_name stands for some name below.
std::string example_of(const std::string& name) {
  if (name.starts_with("*.")) return "x" + name.substr(1);
  return name.starts_with('.') ? name.substr(1) : name;
}

bool is_checkable(const std::string& name) {
  return name.find('.') != std::string::npos ? name.front() != '~' && !name.ends_with('*') : name == "localhost";
}

}  // namespace

const char* TlsGrade::name_of(Rank rank) {
  static constexpr const char* names[] = {"A+", "A", "A-", "B", "C", "F", "T"};
  return names[rank];
}

void TlsGrade::cap(Rank rank, std::string reason) {
  rank_ = std::max(rank_, rank);
  reasons_.push_back({rank, std::move(reason)});
}

void grade_protocol(const TlsScan& scan, TlsGrade& grade) {
  if (scan.versions.empty()) grade.cap(TlsGrade::f, "no handshake succeeds");
  for (const char* old : {"TLSv1", "TLSv1.1"})
    if (has(scan.versions, old)) grade.cap(TlsGrade::b, std::string(old) + " is accepted");
  if (!has(scan.versions, "TLSv1.3")) grade.cap(TlsGrade::a_minus, "TLSv1.3 is not accepted");
  for (const std::string& suite : scan.suites_12) {
    const SuiteWeakness weakness = SuiteWeakness::of(suite);
    if (weakness.broken) grade.cap(TlsGrade::f, suite + " protects nothing");
    else if (weakness.small_blocks) grade.cap(TlsGrade::c, suite + " has blocks of 64 bits");
    else if (weakness.no_forward_secrecy) grade.cap(TlsGrade::b, suite + " has no forward secrecy");
    else if (weakness.cbc) grade.cap(TlsGrade::a, suite + " is no AEAD (CBC)");
  }
  for (const char* weak : {"P-192", "P-224"})
    if (has(scan.groups, weak)) grade.cap(TlsGrade::b, std::string(weak) + " is a weak group");
}

void grade_certificate(const CertificateChain& chain, const std::vector<std::string>& names, X509_STORE* trusted, TlsGrade& grade) {
  X509* const leaf = chain.leaf.get();
  grade_key(leaf, grade);
  const std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)> others(sk_X509_new_null(),
                                                                           [](STACK_OF(X509)* stack) { sk_X509_free(stack); });
  for (const X509Ptr& other : chain.others) sk_X509_push(others.get(), other.get());
  const std::unique_ptr<X509_STORE_CTX, OpensslFree<X509_STORE_CTX_free>> verify(X509_STORE_CTX_new());
  X509_STORE_CTX_init(verify.get(), trusted, leaf, others.get());
  X509_STORE_CTX_set_purpose(verify.get(), X509_PURPOSE_SSL_SERVER);
  if (X509_verify_cert(verify.get()) != 1)
    grade.cap(TlsGrade::t, std::string("the certificate is not trusted: ") +
                               X509_verify_cert_error_string(X509_STORE_CTX_get_error(verify.get())));
  for (const std::string& name : names)
    if (is_checkable(name) && X509_check_host(leaf, example_of(name).c_str(), 0, 0, nullptr) != 1)
      grade.cap(TlsGrade::t, "the certificate is not for " + name);
  if (const int days = days_left(leaf); days >= 0 && days < kSoonDays)
    grade.cap(TlsGrade::a, "the certificate ends in " + std::to_string(days) + " days");
}

std::string describe_certificate(X509* certificate) {
  const EVP_PKEY* const key = X509_get0_pubkey(certificate);
  const auto subject = [](BIO* bio, X509* x) { X509_NAME_print_ex(bio, X509_get_subject_name(x), 0, XN_FLAG_RFC2253); };
  const auto end = [](BIO* bio, X509* x) { ASN1_TIME_print(bio, X509_get0_notAfter(x)); };
  const char* const type = OBJ_nid2sn(EVP_PKEY_get_base_id(key));
  const char* const digest = OBJ_nid2sn(digest_of(certificate));
  return printed(subject, certificate) + ", " + (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC ? "ECDSA" : type ? type : "?") + " " +
         std::to_string(EVP_PKEY_get_bits(key)) + " bits, " + (digest ? digest : "?") + ", until " + printed(end, certificate) + " (" +
         std::to_string(days_left(certificate)) + " days)";
}

}  // namespace seawall
