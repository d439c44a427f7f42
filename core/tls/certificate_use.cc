#include "seawall/tls/certificate_use.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include "seawall/tls/context_parts.h"
#include "seawall/tls/error.h"

namespace seawall {

std::shared_ptr<const LoadedPair> LoadedPair::load(const std::string& certificate, const std::string& key,
                                                   const std::vector<std::string>& passwords) {
  const PemFiles files;
  auto pair = std::make_shared<LoadedPair>();
  pair->certificate_name_ = shown(certificate);
  pair->key_name_ = shown(key);
  try {
    pair->chain_ = parse_certificate(files.text(certificate));
  } catch (const TlsError& error) {
    throw TlsError("cannot load certificate \"" + pair->certificate_name_ + "\": " + error.what());
  }
  try {
    pair->key_ = parse_key(files.text(key), passwords);
  } catch (const TlsError& error) {
    throw TlsError("cannot load certificate key \"" + pair->key_name_ + "\": " + error.what());
  }
  return pair;
}

void LoadedPair::give(SSL* ssl) const {
  if (SSL_use_certificate(ssl, chain_.leaf.get()) != 1) throw_openssl("SSL_use_certificate(\"" + certificate_name_ + "\")");
  SSL_clear_chain_certs(ssl);
  for (const X509Ptr& other : chain_.others)
    if (SSL_add1_chain_cert(ssl, other.get()) != 1) throw_openssl("SSL_add1_chain_cert(\"" + certificate_name_ + "\")");
  if (SSL_use_PrivateKey(ssl, key_.get()) != 1) throw_openssl("SSL_use_PrivateKey(\"" + key_name_ + "\")");
}

bool is_authority_unknown(long verdict) {
  switch (verdict) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_CERT_UNTRUSTED:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE: return true;
    default: return false;
  }
}

}  // namespace seawall
