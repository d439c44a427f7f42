// Resumption: sessions by id in our own caches, tickets under our own keys. OpenSSL would keep both in the context of the
// address's default server; these ask the one that the client has chosen.
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <ctime>

#include "seawall/tls/context_parts.h"
#include "seawall/tls/error.h"

namespace seawall {
namespace {

constexpr std::int64_t kBytesOfSession = 512;  // of a builtin cache, which is counted in sessions

TlsState& state_of(const SSL* ssl) { return TlsState::of(SSL_get_SSL_CTX(ssl)); }

std::string_view id_of(const SSL_SESSION* session) {
  unsigned size = 0;
  const unsigned char* id = SSL_SESSION_get_id(session, &size);
  return {reinterpret_cast<const char*>(id), size};
}

int keep_session(SSL* ssl, SSL_SESSION* session) {
  SessionCache* const cache = state_of(ssl).sessions.get();
  // A TLS 1.3 session that travels in a ticket is only announced here.
  if (!cache || (SSL_version(ssl) == TLS1_3_VERSION && !(SSL_get_options(ssl) & SSL_OP_NO_TICKET))) return 0;
  const int size = i2d_SSL_SESSION(session, nullptr);
  if (size <= 0 || static_cast<std::size_t>(size) > SessionCache::kLongestSession) return 0;
  unsigned char bytes[SessionCache::kLongestSession];
  unsigned char* to = bytes;
  i2d_SSL_SESSION(session, &to);
  const std::int64_t expires = SSL_SESSION_get_time(session) + SSL_SESSION_get_timeout(session);
  cache->put(id_of(session), {reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size)}, expires, std::time(nullptr));
  return 0;
}

SSL_SESSION* find_session(SSL* ssl, const unsigned char* id, int id_size, int* copy) {
  *copy = 0;
  SessionCache* const cache = state_of(ssl).sessions.get();
  if (!cache) return nullptr;
  const std::string bytes = cache->get({reinterpret_cast<const char*>(id), static_cast<std::size_t>(id_size)}, std::time(nullptr));
  if (bytes.empty()) return nullptr;
  const auto* from = reinterpret_cast<const unsigned char*>(bytes.data());
  return d2i_SSL_SESSION(nullptr, &from, static_cast<long>(bytes.size()));
}

void drop_session(SSL_CTX* ctx, SSL_SESSION* session) {
  if (SessionCache* const cache = TlsState::of(ctx).sessions.get()) cache->remove(id_of(session));
}

// Fetched once: looking one up costs more than using it.
const EVP_CIPHER* cipher_of(const TicketKey& key) {
  static const EVP_CIPHER* const small = EVP_CIPHER_fetch(nullptr, "AES-128-CBC", nullptr);
  static const EVP_CIPHER* const large = EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr);
  return key.size == 16 ? small : large;
}

bool authenticate(EVP_MAC_CTX* mac, TicketKey& key) {
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac, key.size),
                                   OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                   OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

int seal_ticket(TicketKeys& keys, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) {
  TicketKey key = keys.sealing();
  std::copy(std::begin(key.name), std::end(key.name), name);
  const EVP_CIPHER* const aes = cipher_of(key);
  const bool fine = RAND_bytes(iv, EVP_CIPHER_get_iv_length(aes)) == 1 &&
                    EVP_EncryptInit_ex(cipher, aes, nullptr, key.aes, iv) == 1 && authenticate(mac, key);
  OPENSSL_cleanse(&key, sizeof key);
  return fine ? 1 : -1;
}

// 0: not ours, the full handshake it is; 2: good, and the client is to have another.
int open_ticket(SSL* ssl, TicketKeys& keys, const unsigned char* name, const unsigned char* iv, EVP_CIPHER_CTX* cipher,
                EVP_MAC_CTX* mac) {
  bool newest = false;
  std::optional<TicketKey> key = keys.find(std::span<const unsigned char, 16>(name, 16), newest);
  if (!key) return 0;
  const bool fine = EVP_DecryptInit_ex(cipher, cipher_of(*key), nullptr, key->aes, iv) == 1 && authenticate(mac, *key);
  OPENSSL_cleanse(&*key, sizeof *key);
  if (!fine) return -1;
  return newest && SSL_version(ssl) != TLS1_3_VERSION ? 1 : 2;
}

int ticket_key(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int sealing) {
  TicketKeys& keys = *state_of(ssl).tickets;
  return sealing ? seal_ticket(keys, name, iv, cipher, mac) : open_ticket(ssl, keys, name, iv, cipher, mac);
}

std::shared_ptr<TicketKeys> ticket_keys(const TlsSettings& s, const PemFiles& files) {
  if (s.ticket_keys.empty()) return TicketKeys::rotating(s.session_timeout);
  std::vector<std::string> contents;
  for (const std::string& path : s.ticket_keys) {
    try {
      contents.push_back(files.text(path));
    } catch (const TlsError& error) {
      throw TlsError("cannot load session ticket key \"" + path + "\": " + error.what());
    }
    if (contents.back().size() != 48 && contents.back().size() != 80) throw TlsError("\"" + path + "\" must be 48 or 80 bytes");
  }
  return TicketKeys::fixed(contents);
}

std::shared_ptr<SessionCache> session_cache(const TlsSettings& s) {
  if (!s.session_cache.empty()) return SessionCache::shared(s.session_cache, static_cast<std::size_t>(s.session_cache_size));
  if (s.builtin_sessions > 0) return SessionCache::own(static_cast<std::size_t>(s.builtin_sessions * kBytesOfSession));
  return nullptr;
}

}  // namespace

void set_sessions(SSL_CTX* ctx, const TlsSettings& s, const PemFiles& files) {
  TlsState& state = TlsState::of(ctx);
  state.sessions = session_cache(s);
  state.tickets = ticket_keys(s, files);
  // The replay guard may be lost with the zone; what resumes without the zone's keys then does not do so with early data.
  state.keys_outlive_us = !s.ticket_keys.empty() || (!s.session_tickets && state.sessions);
  SSL_CTX_set_session_cache_mode(ctx, s.session_ids ? SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL | SSL_SESS_CACHE_NO_AUTO_CLEAR
                                                    : SSL_SESS_CACHE_OFF);
  SSL_CTX_sess_set_new_cb(ctx, keep_session);
  SSL_CTX_sess_set_get_cb(ctx, find_session);
  SSL_CTX_sess_set_remove_cb(ctx, drop_session);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, ticket_key);
  SSL_CTX_set_timeout(ctx, s.session_timeout.count());
  // One TLS 1.3 ticket a handshake: each costs 13 us of CPU, and a resumed connection brings the next one.
  SSL_CTX_set_num_tickets(ctx, 1);
  if (s.session_tickets) return;
  SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
  if (!state.sessions) SSL_CTX_set_num_tickets(ctx, 0);
}

}  // namespace seawall
