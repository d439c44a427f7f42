#include "seawall/tls/scan.h"

#include <openssl/err.h>

#include <functional>
#include <set>

#include "seawall/tls/error.h"

namespace seawall {
namespace {

using SslPtr = std::unique_ptr<SSL, OpensslFree<SSL_free>>;
using CtxPtr = std::unique_ptr<SSL_CTX, OpensslFree<SSL_CTX_free>>;

constexpr const char* kEverything = "ALL:COMPLEMENTOFALL:@SECLEVEL=0";
constexpr const char* kGroups[] = {"X25519MLKEM768", "X25519", "P-256", "X448", "P-521", "P-384", "ffdhe2048", "ffdhe3072",
                                   "brainpoolP256r1", "secp256k1", "P-224", "P-192"};
struct Version {
  int number;
  const char* name;
};
constexpr Version kVersions[] = {{TLS1_VERSION, "TLSv1"}, {TLS1_1_VERSION, "TLSv1.1"}, {TLS1_2_VERSION, "TLSv1.2"},
                                 {TLS1_3_VERSION, "TLSv1.3"}};

// A client that offers what it is told.
class Prober {
 public:
  Prober(TlsContext::Handle server, std::string name) : server_(std::move(server)), name_(std::move(name)), client_(SSL_CTX_new(TLS_client_method())) {
    if (!client_) throw_openssl("SSL_CTX_new()");
    SSL_CTX_set_security_level(client_.get(), 0);
    SSL_CTX_set_cipher_list(client_.get(), kEverything);
    SSL_CTX_set_min_proto_version(client_.get(), TLS1_VERSION);
  }

  // The client's end after a handshake that succeeded; null when it did not. `offer` false: this library cannot offer it.
  SslPtr agree(const std::function<bool(SSL*)>& offer) {
    SslPtr client(SSL_new(client_.get())), server(SSL_new(server_.get()));
    BIO *from_client = nullptr, *from_server = nullptr;
    if (!client || !server || BIO_new_bio_pair(&from_client, 0, &from_server, 0) != 1) throw_openssl("SSL_new()");
    SSL_set_bio(client.get(), from_client, from_client);
    SSL_set_bio(server.get(), from_server, from_server);
    SSL_set_connect_state(client.get());
    SSL_set_accept_state(server.get());
    if (!name_.empty()) SSL_set_tlsext_host_name(client.get(), name_.c_str());
    const bool done = offer(client.get()) && shake(client.get(), server.get());
    ERR_clear_error();
    return done ? std::move(client) : nullptr;
  }

  SslPtr agree_on_version(int version) {
    return agree([=](SSL* ssl) {
      return SSL_set_min_proto_version(ssl, version) == 1 && SSL_set_max_proto_version(ssl, version) == 1;
    });
  }

  std::vector<std::string> known_suites(bool of_13) {
    const SslPtr any(SSL_new(client_.get()));
    std::vector<std::string> names;
    const STACK_OF(SSL_CIPHER)* const suites = SSL_get_ciphers(any.get());
    for (int i = 0; i < sk_SSL_CIPHER_num(suites); ++i) {
      const SSL_CIPHER* const suite = sk_SSL_CIPHER_value(suites, i);
      if ((std::string(SSL_CIPHER_get_version(suite)) == "TLSv1.3") == of_13) names.emplace_back(SSL_CIPHER_get_name(suite));
    }
    return names;
  }

 private:
  static bool shake(SSL* client, SSL* server) {
    for (int turn = 0; turn < 20; ++turn) {
      for (SSL* ssl : {client, server}) {
        if (SSL_is_init_finished(ssl)) continue;
        const int result = SSL_do_handshake(ssl);
        if (result != 1 && SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ && SSL_get_error(ssl, result) != SSL_ERROR_WANT_WRITE)
          return false;
      }
      if (SSL_is_init_finished(client) && SSL_is_init_finished(server)) return true;
    }
    return false;
  }

  const TlsContext::Handle server_;
  const std::string name_;
  const CtxPtr client_;
};

X509Ptr copy(X509* x) {
  X509_up_ref(x);
  return X509Ptr(x);
}

CertificateChain chain_of(SSL* client) {
  CertificateChain chain;
  chain.leaf.reset(SSL_get1_peer_certificate(client));
  const STACK_OF(X509)* const sent = SSL_get_peer_cert_chain(client);
  for (int i = 1; i < sk_X509_num(sent); ++i) chain.others.push_back(copy(sk_X509_value(sent, i)));
  return chain;
}

void add_certificates(Prober& prober, TlsScan& scan) {
  for (const char* kind : {"ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512", "RSA-PSS+SHA256:RSA+SHA256:RSA-PSS+SHA384:RSA+SHA384", "ed25519"}) {
    const SslPtr client = prober.agree([=](SSL* ssl) { return SSL_set1_sigalgs_list(ssl, kind) == 1; });
    if (client) scan.certificates.push_back(chain_of(client.get()));
  }
}

}  // namespace

TlsScan TlsScan::of(const TlsContext& context, const std::string& name) {
  Prober prober(context.current(), name);
  TlsScan scan;
  for (const Version& version : kVersions)
    if (prober.agree_on_version(version.number)) scan.versions.emplace_back(version.name);
  for (const std::string& suite : prober.known_suites(false))
    if (prober.agree([&](SSL* ssl) {
          return SSL_set_max_proto_version(ssl, TLS1_2_VERSION) == 1 && SSL_set_cipher_list(ssl, (suite + ":@SECLEVEL=0").c_str()) == 1;
        }))
      scan.suites_12.push_back(suite);
  for (const char* suite : {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_CCM_SHA256",
                            "TLS_AES_128_CCM_8_SHA256"})
    if (prober.agree([&](SSL* ssl) {
          return SSL_set_min_proto_version(ssl, TLS1_3_VERSION) == 1 && SSL_set_ciphersuites(ssl, suite) == 1;
        }))
      scan.suites_13.emplace_back(suite);
  for (const char* group : kGroups)
    if (const SslPtr client = prober.agree([&](SSL* ssl) { return SSL_set1_groups_list(ssl, group) == 1; });
        client && SSL_get_negotiated_group(client.get()) != NID_undef)
      scan.groups.emplace_back(group);
  add_certificates(prober, scan);
  return scan;
}

SuiteWeakness SuiteWeakness::of(const std::string& name) {
  SuiteWeakness weakness;
  const CtxPtr ctx(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_cipher_list(ctx.get(), (name + ":@SECLEVEL=0").c_str());
  const STACK_OF(SSL_CIPHER)* const suites = SSL_CTX_get_ciphers(ctx.get());
  for (int i = 0; i < sk_SSL_CIPHER_num(suites); ++i) {
    const SSL_CIPHER* const suite = sk_SSL_CIPHER_value(suites, i);
    if (name != SSL_CIPHER_get_name(suite)) continue;
    const int cipher = SSL_CIPHER_get_cipher_nid(suite), exchange = SSL_CIPHER_get_kx_nid(suite);
    weakness.broken = SSL_CIPHER_get_bits(suite, nullptr) < 112 || SSL_CIPHER_get_auth_nid(suite) == NID_auth_null || cipher == NID_rc4;
    weakness.small_blocks = cipher == NID_des_ede3_cbc;
    weakness.no_forward_secrecy = exchange == NID_kx_rsa || exchange == NID_kx_psk || exchange == NID_kx_rsa_psk;
    weakness.cbc = !SSL_CIPHER_is_aead(suite);
  }
  return weakness;
}

}  // namespace seawall
