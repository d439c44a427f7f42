#include "seawall/server/tls_client_variables.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <algorithm>

#include "seawall/base/hex.h"
#include "seawall/base/text.h"
#include "seawall/tls/pem.h"
#include "seawall/tls/tls_stream.h"

namespace seawall {
namespace {

X509* certificate_of(const TlsStream& tls) { return SSL_get0_peer_certificate(tls.ssl()); }

// What `print` writes of the client's certificate.
template <class Print>
void append_printed(const TlsStream& tls, std::string& out, Print print) {
  X509* const certificate = certificate_of(tls);
  if (!certificate) return;
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio) return;
  print(bio.get(), certificate);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  if (size > 0) out.append(text, static_cast<std::size_t>(size));
}

void append_oneline(const X509_NAME* name, std::string& out) {
  char* const text = X509_NAME_oneline(name, nullptr, 0);
  if (!text) return;
  out.append(text);
  OPENSSL_free(text);
}

bool is_unreserved(char c) { return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~'; }

std::string_view digest_name(int digest) {
  switch (digest) {
    case NID_sha1: return "sha1";
    case NID_sha224: return "sha224";
    case NID_sha256: return "sha256";
    case NID_sha384: return "sha384";
    case NID_sha512: return "sha512";
    default: return {};
  }
}

// TLS 1.3 ties the curve to the digest.
std::string_view ecdsa_name(int digest) {
  switch (digest) {
    case NID_sha256: return "ecdsa_secp256r1_";
    case NID_sha384: return "ecdsa_secp384r1_";
    case NID_sha512: return "ecdsa_secp521r1_";
    default: return "ecdsa_";
  }
}

}  // namespace

void append_signature(int type, int digest, std::string& out) {
  switch (type) {
    case EVP_PKEY_ED25519: out.append("ed25519"); return;
    case EVP_PKEY_ED448: out.append("ed448"); return;
    case EVP_PKEY_RSA_PSS: out.append("rsa_pss_rsae_"); break;
    case EVP_PKEY_RSA: out.append("rsa_pkcs1_"); break;
    case EVP_PKEY_EC: out.append(ecdsa_name(digest)); break;
    default: return;
  }
  out.append(digest_name(digest));
}

void client_raw_cert(const TlsStream& tls, std::string& out) {
  append_printed(tls, out, [](BIO* bio, X509* certificate) { PEM_write_bio_X509(bio, certificate); });
}

void client_cert(const TlsStream& tls, std::string& out) {
  std::string raw;
  client_raw_cert(tls, raw);
  if (raw.ends_with('\n')) raw.pop_back();
  for (char c : raw) {
    out.push_back(c);
    if (c == '\n') out.push_back('\t');
  }
}

void client_escaped_cert(const TlsStream& tls, std::string& out) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string raw;
  client_raw_cert(tls, raw);
  for (char c : raw) {
    if (is_unreserved(c)) out.push_back(c);
    else out.append({'%', digits[static_cast<unsigned char>(c) >> 4], digits[static_cast<unsigned char>(c) & 15]});
  }
}

void client_subject(const TlsStream& tls, std::string& out) {
  append_printed(tls, out, [](BIO* bio, X509* certificate) {
    X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
  });
}

void client_issuer(const TlsStream& tls, std::string& out) {
  append_printed(tls, out, [](BIO* bio, X509* certificate) {
    X509_NAME_print_ex(bio, X509_get_issuer_name(certificate), 0, XN_FLAG_RFC2253);
  });
}

void client_subject_legacy(const TlsStream& tls, std::string& out) {
  if (X509* const certificate = certificate_of(tls)) append_oneline(X509_get_subject_name(certificate), out);
}

void client_issuer_legacy(const TlsStream& tls, std::string& out) {
  if (X509* const certificate = certificate_of(tls)) append_oneline(X509_get_issuer_name(certificate), out);
}

void client_serial(const TlsStream& tls, std::string& out) {
  append_printed(tls, out, [](BIO* bio, X509* certificate) { i2a_ASN1_INTEGER(bio, X509_get_serialNumber(certificate)); });
}

void client_fingerprint(const TlsStream& tls, std::string& out) {
  X509* const certificate = certificate_of(tls);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (certificate && X509_digest(certificate, EVP_sha1(), digest, &size) == 1)
    append_hex({reinterpret_cast<char*>(digest), size}, out);
}

void client_verify(const TlsStream& tls, std::string& out) {
  if (!certificate_of(tls)) {
    out.append("NONE");
    return;
  }
  const long verdict = SSL_get_verify_result(tls.ssl());
  if (const char* refusal = tls.client_refusal()) out.append("FAILED:").append(refusal);
  else if (verdict == X509_V_OK) out.append("SUCCESS");
  else out.append("FAILED:").append(X509_verify_cert_error_string(verdict));
}

void client_start(const TlsStream& tls, std::string& out) {
  append_printed(tls, out, [](BIO* bio, X509* certificate) { ASN1_TIME_print(bio, X509_get0_notBefore(certificate)); });
}

void client_end(const TlsStream& tls, std::string& out) {
  append_printed(tls, out, [](BIO* bio, X509* certificate) { ASN1_TIME_print(bio, X509_get0_notAfter(certificate)); });
}

void client_remaining(const TlsStream& tls, std::string& out) {
  X509* const certificate = certificate_of(tls);
  int days = 0, seconds = 0;
  if (certificate && ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(certificate)) == 1)
    out.append(std::to_string(std::max(days, 0)));
}

void client_sigalg(const TlsStream& tls, std::string& out) {
  int type = 0, digest = 0;
  if (SSL_get_peer_signature_type_nid(tls.ssl(), &type) != 1) return;
  SSL_get_peer_signature_nid(tls.ssl(), &digest);
  append_signature(type, digest, out);
}

}  // namespace seawall
