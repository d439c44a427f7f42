// Protocol versions, suites, groups, DH parameters and ssl_conf_command of a TLS context.
#include <openssl/err.h>
#include <openssl/pem.h>

#include "seawall/tls/context_parts.h"
#include "seawall/tls/error.h"

namespace seawall {
namespace {

// Mozilla Intermediate's six ECDHE suites; the server's order counts, but a client that puts ChaCha20 first has no fast
// AES and gets ChaCha20.
constexpr const char* kIntermediate =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kSuites13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
#if OPENSSL_VERSION_NUMBER >= 0x30500000L
constexpr const char* kFastGroups = "X25519MLKEM768:X25519:P-256";
#else
constexpr const char* kFastGroups = "X25519:P-256";
#endif

void set_dhparam(SSL_CTX* ctx, const std::string& path, const PemFiles& files) {
  std::string text;
  try {
    text = files.text(path);
  } catch (const TlsError& error) {
    throw TlsError("cannot load DH parameters \"" + path + "\": " + error.what());
  }
  const BioPtr bio = bio_of(text);
  KeyPtr dh(PEM_read_bio_Parameters(bio.get(), nullptr));
  if (!dh) throw_openssl("PEM_read_bio_Parameters(\"" + path + "\")");
  if (SSL_CTX_set0_tmp_dh_pkey(ctx, dh.get()) != 1) throw_openssl("SSL_CTX_set0_tmp_dh_pkey(\"" + path + "\")");
  dh.release();
}

}  // namespace

void set_versions(SSL_CTX* ctx, const TlsSettings& s) {
  SSL_CTX_set_min_proto_version(ctx, s.min_version);
  SSL_CTX_set_max_proto_version(ctx, s.max_version);
  for (int version : s.disabled_versions) {
    if (version == TLS1_VERSION) SSL_CTX_set_options(ctx, SSL_OP_NO_TLSv1);
    if (version == TLS1_1_VERSION) SSL_CTX_set_options(ctx, SSL_OP_NO_TLSv1_1);
    if (version == TLS1_2_VERSION) SSL_CTX_set_options(ctx, SSL_OP_NO_TLSv1_2);
  }
}

void set_ciphers(SSL_CTX* ctx, const TlsSettings& s, const PemFiles& files) {
  const std::string list = s.ciphers.empty() ? kIntermediate : s.ciphers;
  if (SSL_CTX_set_cipher_list(ctx, list.c_str()) != 1) throw_openssl("SSL_CTX_set_cipher_list(\"" + list + "\")");
  if (SSL_CTX_set_ciphersuites(ctx, kSuites13) != 1) throw_openssl("SSL_CTX_set_ciphersuites()");
  if (s.prefer_server_ciphers) SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  const std::string groups = s.groups == "auto" ? kFastGroups : s.groups;
  if (SSL_CTX_set1_groups_list(ctx, groups.c_str()) != 1) throw_openssl("SSL_CTX_set1_groups_list(\"" + groups + "\")");
  TlsState::of(ctx).groups = groups;
  if (!s.dhparam.empty()) set_dhparam(ctx, s.dhparam, files);
}

// Last of all, as they may overrule everything.
void set_commands(SSL_CTX* ctx, const TlsSettings& s) {
  if (s.commands.empty()) return;
  const std::unique_ptr<SSL_CONF_CTX, OpensslFree<SSL_CONF_CTX_free>> conf(SSL_CONF_CTX_new());
  if (!conf) throw_openssl("SSL_CONF_CTX_new()");
  SSL_CONF_CTX_set_flags(conf.get(), SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_SERVER | SSL_CONF_FLAG_CLIENT |
                                         SSL_CONF_FLAG_CERTIFICATE | SSL_CONF_FLAG_SHOW_ERRORS);
  SSL_CONF_CTX_set_ssl_ctx(conf.get(), ctx);
  for (const auto& [name, value] : s.commands)
    if (SSL_CONF_cmd(conf.get(), name.c_str(), value.c_str()) <= 0)
      throw_openssl("SSL_CONF_cmd(\"" + name + "\", \"" + value + "\")");
  if (SSL_CONF_CTX_finish(conf.get()) != 1) throw_openssl("SSL_CONF_finish()");
}

std::vector<std::string> suites_without_forward_secrecy(const TlsContext& context) {
  std::vector<std::string> names;
  const TlsContext::Handle handle = context.current();
  const STACK_OF(SSL_CIPHER)* const suites = SSL_CTX_get_ciphers(handle.get());
  for (int i = 0; i < sk_SSL_CIPHER_num(suites); ++i) {
    const SSL_CIPHER* const suite = sk_SSL_CIPHER_value(suites, i);
    const int exchange = SSL_CIPHER_get_kx_nid(suite);
    if (exchange == NID_kx_rsa || exchange == NID_kx_rsa_psk || exchange == NID_kx_psk)
      names.emplace_back(SSL_CIPHER_get_name(suite));
  }
  return names;
}

}  // namespace seawall
