// PEM and DER as configurations name them: a path, or "data:" and the text itself. Errors: TlsError, in nginx's wording
// from the call that failed on ("BIO_new_file() failed (SSL: ...)"); who asks says what could not be loaded. Any thread.
#pragma once
#include <openssl/ocsp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "seawall/base/export.h"

namespace seawall {

template <auto release>
struct OpensslFree {
  template <class T>
  void operator()(T* object) const { release(object); }
};
using X509Ptr = std::unique_ptr<X509, OpensslFree<X509_free>>;
using CrlPtr = std::unique_ptr<X509_CRL, OpensslFree<X509_CRL_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, OpensslFree<EVP_PKEY_free>>;
using BioPtr = std::unique_ptr<BIO, OpensslFree<BIO_free>>;

// Where the text behind a name comes from: the disk, or what another process has read for this one.
class SEAWALL_API PemFiles {
 public:
  PemFiles() = default;
  virtual ~PemFiles() = default;
  // TlsError: it cannot be read.
  virtual std::string text(const std::string& name) const;
};

// What tells whether a path leads to other contents than before: device, inode, size and times; the error when it cannot be
// had.
using FileStamps = std::vector<std::vector<std::int64_t>>;
SEAWALL_API FileStamps stamps_of(const std::vector<std::string>& paths);

// Is the name the text itself?
inline constexpr const char* kPemData = "data:";
inline bool is_pem_data(std::string_view name) { return name.starts_with(kPemData); }

class CertificateChain {
 public:
  X509Ptr leaf;
  std::vector<X509Ptr> others;
};

SEAWALL_API CertificateChain parse_certificate(std::string_view pem);
SEAWALL_API KeyPtr parse_key(std::string_view pem, const std::vector<std::string>& passwords);
SEAWALL_API std::vector<X509Ptr> parse_authorities(std::string_view pem);
SEAWALL_API std::vector<CrlPtr> parse_crls(std::string_view pem);

// Memory that is read only; valid as long as `text`.
BioPtr bio_of(std::string_view text);

// OpenSSL's error queue as nginx prints it, "(SSL: error:0A000086:SSL routines::...)"; empties it.
SEAWALL_API std::string openssl_errors();
// "CALL failed (SSL: ...)".
[[noreturn]] void throw_openssl(const std::string& call);

}  // namespace seawall
