#include "certificates.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <memory>

#include "seawall/base/hex.h"
#include "seawall/tls/check_pair.h"
#include "seawall/tls/error.h"

namespace seawall::acme {
namespace {

using RequestPtr = std::unique_ptr<X509_REQ, OpensslFree<X509_REQ_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, OpensslFree<X509_EXTENSION_free>>;

constexpr std::size_t kLongestChain = 10;  // certificates; every handshake carries them
constexpr long kWeek = 7 * 24 * 3600;

std::string take_bio(const BioPtr& bio) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

std::string pem_of_certificate(X509* x) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), x) != 1) fail_openssl("PEM_write_bio_X509()");
  return take_bio(bio);
}

ExtensionPtr alternative_names(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "DNS:" : ",DNS:") + name;
  ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, text.c_str()));
  if (!extension) fail_openssl("X509V3_EXT_conf_nid()");
  return extension;
}

// A new certificate about ourselves, without its signature.
X509Ptr begin_own(EVP_PKEY* key, const std::vector<std::string>& names, const std::string& subject) {
  X509Ptr x(X509_new());
  unsigned char serial[16];
  if (!x || RAND_bytes(serial, sizeof serial) != 1) fail_openssl("X509_new()");
  serial[0] &= 0x7f;
  const std::unique_ptr<BIGNUM, OpensslFree<BN_free>> number(BN_bin2bn(serial, sizeof serial, nullptr));
  BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(x.get()));
  X509_set_version(x.get(), X509_VERSION_3);
  X509_gmtime_adj(X509_getm_notBefore(x.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(x.get()), kWeek);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(subject.c_str()), -1, -1, 0);
  X509_set_issuer_name(x.get(), X509_get_subject_name(x.get()));
  if (X509_set_pubkey(x.get(), key) != 1) fail_openssl("X509_set_pubkey()");
  X509_add_ext(x.get(), alternative_names(names).get(), -1);
  return x;
}

Pair finish_own(const X509Ptr& x, EVP_PKEY* key) {
  if (X509_sign(x.get(), key, EVP_sha256()) == 0) fail_openssl("X509_sign()");
  Pair pair;
  pair.certificate = pem_of_certificate(x.get());
  pair.key = pem_of(key);
  return pair;
}

CertificateChain chain_of(const std::string& pem) {
  try {
    return parse_certificate(pem);
  } catch (const TlsError& error) {
    throw AcmeError(std::string("the certificate cannot be read: ") + error.what());
  }
}

std::int64_t seconds_of(const ASN1_TIME* time) {
  tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) fail_openssl("ASN1_TIME_to_tm()");
  return ::timegm(&parts);
}

std::string common_name(const X509_NAME* name) {
  char text[256];
  if (X509_NAME_get_text_by_NID(const_cast<X509_NAME*>(name), NID_commonName, text, sizeof text) > 0) return visible(text);
  return visible(X509_NAME_oneline(name, text, sizeof text));
}

std::vector<std::string> names_in(X509* x) {
  std::vector<std::string> names;
  const std::unique_ptr<GENERAL_NAMES, OpensslFree<GENERAL_NAMES_free>> all(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(x, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type != GEN_DNS) continue;
    names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                       static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string bytes_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)), static_cast<std::size_t>(ASN1_STRING_length(text))};
}

// base64url(key identifier of the issuer) "." base64url(serial, as DER has its contents).
std::string renewal_id_of(X509* x) {
  const ASN1_OCTET_STRING* const authority = X509_get0_authority_key_id(x);
  if (!authority) return {};
  const ASN1_INTEGER* const number = X509_get0_serialNumber(x);
  std::string serial = bytes_of(number);
  if (!serial.empty() && (serial[0] & 0x80)) serial.insert(serial.begin(), '\0');
  return base64url(bytes_of(authority)) + "." + base64url(serial);
}

// By its name and by its signature.
bool has_issued(X509* authority, X509* below) {
  const bool fits = X509_check_issued(authority, below) == X509_V_OK && X509_verify(below, X509_get0_pubkey(authority)) == 1;
  ERR_clear_error();
  return fits;
}

std::string der_of(X509* x) {
  unsigned char* bytes = nullptr;
  const int size = i2d_X509(x, &bytes);
  if (size <= 0) fail_openssl("i2d_X509()");
  std::string der(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

}  // namespace

std::string make_request(EVP_PKEY* key, const std::vector<std::string>& names) {
  const RequestPtr request(X509_REQ_new());
  if (!request || X509_REQ_set_pubkey(request.get(), key) != 1) fail_openssl("X509_REQ_set_pubkey()");
  ExtensionPtr extension = alternative_names(names);
  const std::unique_ptr<STACK_OF(X509_EXTENSION), OpensslFree<[](STACK_OF(X509_EXTENSION) * all) {
                          sk_X509_EXTENSION_pop_free(all, X509_EXTENSION_free);
                        }>>
      extensions(sk_X509_EXTENSION_new_null());
  sk_X509_EXTENSION_push(extensions.get(), extension.release());
  if (X509_REQ_add_extensions(request.get(), extensions.get()) != 1) fail_openssl("X509_REQ_add_extensions()");
  if (X509_REQ_sign(request.get(), key, EVP_sha256()) == 0) fail_openssl("X509_REQ_sign()");
  unsigned char* bytes = nullptr;
  const int size = i2d_X509_REQ(request.get(), &bytes);
  if (size <= 0) fail_openssl("i2d_X509_REQ()");
  std::string der(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

Pair make_self_signed(EVP_PKEY* key, const std::vector<std::string>& names) {
  const X509Ptr x = begin_own(key, names, "self-signed until a CA has answered");
  return finish_own(x, key);
}

Pair make_alpn_proof(const std::string& name, const std::string& key_authorization) {
  const KeyPtr key = make_key(KeyType());
  const X509Ptr x = begin_own(key.get(), {name}, name);
  const std::unique_ptr<ASN1_OBJECT, OpensslFree<ASN1_OBJECT_free>> identifier(OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1));
  const std::string value = std::string("\x04\x20") + sha256(key_authorization);  // an octet string in an octet string
  const std::unique_ptr<ASN1_OCTET_STRING, OpensslFree<ASN1_OCTET_STRING_free>> octets(ASN1_OCTET_STRING_new());
  ASN1_OCTET_STRING_set(octets.get(), reinterpret_cast<const unsigned char*>(value.data()), static_cast<int>(value.size()));
  const ExtensionPtr extension(X509_EXTENSION_create_by_OBJ(nullptr, identifier.get(), 1, octets.get()));
  if (!extension || X509_add_ext(x.get(), extension.get(), -1) != 1) fail_openssl("X509_add_ext()");
  return finish_own(x, key.get());
}

CertificateFacts CertificateFacts::of(const std::string& pem) {
  const CertificateChain chain = chain_of(pem);
  X509* const x = chain.leaf.get();
  CertificateFacts facts;
  facts.not_before = seconds_of(X509_get0_notBefore(x));
  facts.not_after = seconds_of(X509_get0_notAfter(x));
  facts.names = names_in(x);
  facts.issuer = common_name(X509_get_issuer_name(x));
  facts.serial = hex_of(bytes_of(X509_get0_serialNumber(x)));
  facts.renewal_id = renewal_id_of(x);
  facts.der = der_of(x);
  return facts;
}

void check_chain(const std::string& pem, EVP_PKEY* key, const std::vector<std::string>& names, std::int64_t now) {
  const CertificateChain chain = chain_of(pem);
  if (X509_check_private_key(chain.leaf.get(), key) != 1) {
    ERR_clear_error();
    throw AcmeError("the CA's certificate is for another key");
  }
  const std::vector<std::string> has = names_in(chain.leaf.get());
  for (const std::string& name : names)
    if (!std::binary_search(has.begin(), has.end(), name))
      throw AcmeError("the CA's certificate does not have the name \"" + name + "\"");
  if (seconds_of(X509_get0_notAfter(chain.leaf.get())) <= now) throw AcmeError("the CA's certificate has expired");
  if (chain.others.size() >= kLongestChain) throw AcmeError("the CA's chain is too long");
  X509* below = chain.leaf.get();
  for (const X509Ptr& other : chain.others) {
    if (!has_issued(other.get(), below))
      throw AcmeError("the CA's chain does not match: \"" + common_name(X509_get_subject_name(other.get())) +
                      "\" has not issued \"" + common_name(X509_get_subject_name(below)) + "\"");
    below = other.get();
  }
}

std::string rewritten_chain(const std::string& pem) {
  const CertificateChain chain = chain_of(pem);
  std::string text = pem_of_certificate(chain.leaf.get());
  for (const X509Ptr& other : chain.others) text += pem_of_certificate(other.get());
  return text;
}

void check_for_tls(const Pair& pair) {
  try {
    check_pair(pair);
  } catch (const TlsError& error) {
    throw AcmeError(std::string("the CA's certificate cannot be served: ") + error.what());
  }
}

std::string root_of(const std::string& pem) {
  const CertificateChain chain = chain_of(pem);
  const X509Ptr& last = chain.others.empty() ? chain.leaf : chain.others.back();
  return common_name(X509_get_issuer_name(last.get()));
}

}  // namespace seawall::acme
