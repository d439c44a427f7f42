// Certificates for tests, made with libcrypto in the test's own process: ECDSA P-256, valid for a day.
#pragma once
#include <string>
#include <vector>

namespace test {

class Certificate {
 public:
  std::string certificate, key;  // PEM
};

class CertificateOptions {
 public:
  std::vector<std::string> names;        // the first is the subject, all are in subjectAltName
  const Certificate* issuer = nullptr;   // null: self-signed
  bool rsa = false;                      // 2048 bits, instead of P-256
  bool authority = true;
  int days = 1;                          // below 0: it has expired
  std::string password;                  // of the key; empty: not encrypted
  std::string responder;                 // the URL of its OCSP responder
};
Certificate make_certificate(const CertificateOptions& options);

// An OCSP response about a certificate of this authority, DER, signed by the authority.
std::string make_ocsp_response(const Certificate& authority, const Certificate& about, bool revoked = false);

// A CRL of this authority, PEM.
std::string make_crl(const Certificate& authority, const std::vector<const Certificate*>& revoked);

// Self-signed, and a CA of itself. The first name is the subject, all are in subjectAltName; "IP:127.0.0.1" is an
// address.
Certificate make_certificate(const std::vector<std::string>& names);

}  // namespace test
