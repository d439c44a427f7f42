// Variables of a TLS connection. Not found on plain ones and where TLS has nothing to say, as in nginx. Any loop.
#include <openssl/objects.h>
#include <openssl/ssl.h>

#include <utility>
#include <vector>

#include "seawall/base/hex.h"
#include "seawall/server/core_module.h"
#include "seawall/server/exchange.h"
#include "seawall/server/tls_client_variables.h"
#include "seawall/tls/tls_stream.h"

namespace seawall {
namespace {

// 0xabcd, for what OpenSSL has no name for.
void append_code(unsigned code, std::string& out) {
  const char bytes[] = {static_cast<char>(code >> 8 & 0xff), static_cast<char>(code & 0xff)};
  out.append("0x");
  append_hex({bytes, 2}, out);
}

void append_text(const char* text, std::string& out) {
  if (text) out.append(text);
}

void append_group(SSL* ssl, int id, std::string& out) {
  if (!(id & TLSEXT_nid_unknown)) return append_text(OBJ_nid2sn(id), out);
  if (const char* name = SSL_group_to_name(ssl, id)) out.append(name);
  else append_code(static_cast<unsigned>(id), out);
}

void protocol(const TlsStream& tls, std::string& out) { append_text(SSL_get_version(tls.ssl()), out); }
void cipher(const TlsStream& tls, std::string& out) {
  if (const SSL_CIPHER* used = SSL_get_current_cipher(tls.ssl())) append_text(SSL_CIPHER_get_name(used), out);
}

// What the client offered, in its order.
void ciphers(const TlsStream& tls, std::string& out) {
  const unsigned char* raw = nullptr;
  const std::size_t size = SSL_get0_raw_cipherlist(tls.ssl(), &raw);
  for (std::size_t at = 0; raw && at + 2 <= size; at += 2) {
    if (at > 0) out.push_back(':');
    if (const SSL_CIPHER* known = SSL_CIPHER_find(tls.ssl(), raw + at)) append_text(SSL_CIPHER_get_name(known), out);
    else append_code(static_cast<unsigned>(raw[at] << 8 | raw[at + 1]), out);
  }
}

void curve(const TlsStream& tls, std::string& out) {
  const auto id = static_cast<int>(SSL_get_negotiated_group(tls.ssl()));
  if (id != NID_undef) append_group(tls.ssl(), id, out);
}

void curves(const TlsStream& tls, std::string& out) {
  const auto count = SSL_get1_groups(tls.ssl(), nullptr);
  if (count <= 0) return;
  std::string separator;
  std::vector<int> ids(static_cast<std::size_t>(count));
  SSL_get1_groups(tls.ssl(), ids.data());
  for (int id : ids) {
    out.append(std::exchange(separator, ":"));
    append_group(tls.ssl(), id, out);
  }
}

void alpn_protocol(const TlsStream& tls, std::string& out) { out.append(tls.alpn()); }
void server_name(const TlsStream& tls, std::string& out) { out.append(tls.server_name()); }

void session_id(const TlsStream& tls, std::string& out) {
  const SSL_SESSION* session = SSL_get0_session(tls.ssl());
  if (!session) return;
  unsigned size = 0;
  const unsigned char* id = SSL_SESSION_get_id(session, &size);
  append_hex({reinterpret_cast<const char*>(id), size}, out);
}

void session_reused(const TlsStream& tls, std::string& out) { out.push_back(SSL_session_reused(tls.ssl()) ? 'r' : '.'); }

// "1" while a request that came as early data runs before the handshake is complete.
void early_data(const TlsStream& tls, std::string& out) {
  if (!SSL_is_init_finished(tls.ssl())) out.push_back('1');
}

// What the server signed with, and what the client takes for it (OpenSSL has no names for those).
void sigalg(const TlsStream& tls, std::string& out) {
  int type = 0, digest = 0;
  if (SSL_get_signature_type_nid(tls.ssl(), &type) != 1) return;
  SSL_get_signature_nid(tls.ssl(), &digest);
  append_signature(type, digest, out);
}

void sigalgs(const TlsStream& tls, std::string& out) {
  const int count = SSL_get_sigalgs(tls.ssl(), -1, nullptr, nullptr, nullptr, nullptr, nullptr);
  std::string separator;
  for (int i = 0; i < count; ++i) {
    unsigned char signature = 0, hash = 0;
    SSL_get_sigalgs(tls.ssl(), i, nullptr, nullptr, nullptr, &signature, &hash);
    out.append(std::exchange(separator, ":"));
    append_code(static_cast<unsigned>(hash << 8 | signature), out);
  }
}

// Encrypted Client Hello is not built: what nginx says without it.
void nothing(const TlsStream&, std::string&) {}

template <void (*Append)(const TlsStream&, std::string&)>
bool get(Exchange& x, std::string_view, const void*, std::string& out) {
  const TlsStream* tls = x.connection.tls;
  if (!tls || tls->is_plain()) return false;
  const std::size_t before = out.size();
  Append(*tls, out);
  return out.size() > before;
}

const VariableRow rows[] = {
    {"ssl_alpn_protocol", get<alpn_protocol>},
    {"ssl_cipher", get<cipher>},
    {"ssl_ciphers", get<ciphers>},
    {"ssl_client_cert", get<client_cert>},
    {"ssl_client_escaped_cert", get<client_escaped_cert>},
    {"ssl_client_fingerprint", get<client_fingerprint>},
    {"ssl_client_i_dn", get<client_issuer>},
    {"ssl_client_i_dn_legacy", get<client_issuer_legacy>},
    {"ssl_client_raw_cert", get<client_raw_cert>},
    {"ssl_client_s_dn", get<client_subject>},
    {"ssl_client_s_dn_legacy", get<client_subject_legacy>},
    {"ssl_client_serial", get<client_serial>},
    {"ssl_client_sigalg", get<client_sigalg>},
    {"ssl_client_v_end", get<client_end>},
    {"ssl_client_v_remain", get<client_remaining>},
    {"ssl_client_v_start", get<client_start>},
    {"ssl_client_verify", get<client_verify>},
    {"ssl_curve", get<curve>},
    {"ssl_curves", get<curves>},
    {"ssl_early_data", get<early_data>},
    {"ssl_ech_outer_server_name", get<nothing>},
    {"ssl_ech_status", get<nothing>},
    {"ssl_protocol", get<protocol>},
    {"ssl_server_name", get<server_name>},
    {"ssl_session_id", get<session_id>},
    {"ssl_session_reused", get<session_reused>},
    {"ssl_sigalg", get<sigalg>},
    {"ssl_sigalgs", get<sigalgs>},
};

}  // namespace

const std::span<const VariableRow> TlsModule::variables = rows;

}  // namespace seawall
