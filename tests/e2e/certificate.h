// Certificates for tests, made with libcrypto in the test's own process: ECDSA P-256, valid for a day.
#pragma once
#include <string>
#include <vector>

namespace test {

class Certificate {
 public:
  std::string certificate, key;  // PEM
};

// The first name is the subject, all are in subjectAltName; "IP:127.0.0.1" is an address. Self-signed; with an issuer, signed by it.
Certificate make_certificate(const std::vector<std::string>& names, const Certificate* issuer = nullptr);

}  // namespace test
