#include "ssl.h"

#include <openssl/err.h>

#include "api.h"
#include "lua.h"
#include "seawall/server/exchange.h"
#include "seawall/tls/error.h"
#include "seawall/tls/tls_stream.h"

namespace seawall::lua {
namespace {

constexpr const char* kChain = "seawall certificate";
constexpr const char* kKey = "seawall private key";

constexpr Hooks kConnection = kRequest | kHandshake;

}  // namespace

SSL* ssl_of(lua_State* L, const Call& call) {
  if (const TlsStream* const shaking = call.x->state<Lua>().tls) return shaking->ssl();
  if (call.x->connection.tls) return call.x->connection.tls->ssl();
  push_error(L, "not ssl connection");
  return nullptr;
}

namespace {

int server_name(lua_State* L) {
  SSL* const ssl = ssl_of(L, check_call(L, kConnection, 2));
  if (!ssl) return 2;
  const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  lua_pushstring(L, name);  // nil for none
  return 1;
}

int version(lua_State* L) {
  SSL* const ssl = ssl_of(L, check_call(L, kConnection, 2));
  if (!ssl) return 2;
  lua_pushinteger(L, SSL_version(ssl));
  lua_pushstring(L, SSL_get_version(ssl));
  return 2;
}

int push_address(lua_State* L, const Address& address) {
  const std::string bytes = address.is_unix() ? address.path() : address.binary();
  push(L, bytes);
  push(L, address.is_unix() ? "unix" : bytes.size() == 4 ? "inet" : "inet6");
  return 2;
}
int raw_server_addr(lua_State* L) { return push_address(L, check_call(L, kConnection, 2).x->connection.local); }
int raw_client_addr(lua_State* L) { return push_address(L, check_call(L, kConnection, 2).x->connection.peer); }
int server_port(lua_State* L) {
  lua_pushinteger(L, check_call(L, kConnection, 2).x->connection.local.port());
  return 1;
}

// What `make` makes, or null and OpenSSL's words in `error`: nothing of Lua's may be raised among exceptions.
template <class T, class Make>
std::shared_ptr<T> made(Make make, std::string& error) {
  try {
    return make();
  } catch (const TlsError& failed) {
    error = failed.what();
    return nullptr;
  }
}

int parse_pem_cert(lua_State* L) {
  std::string error;
  const std::string_view pem = text_at(L, 1);
  auto chain = made<const CertificateChain>([&] { return std::make_shared<const CertificateChain>(parse_certificate(pem)); }, error);
  if (!chain) return push_error(L, error);
  push_object(L, kChain, ChainPtr(std::move(chain)));
  return 1;
}

SharedKey parse_pem(std::string_view pem, std::string& error) {
  return made<EVP_PKEY>([&] { return SharedKey(parse_key(pem, {})); }, error);
}
int parse_pem_key(lua_State* L) {
  std::string error;
  SharedKey key = parse_pem(text_at(L, 1), error);
  if (!key) return push_error(L, error);
  push_object(L, kKey, std::move(key));
  return 1;
}

template <class T>
void append_der(std::string& out, T* object, int (*encode)(const T*, unsigned char**)) {
  unsigned char* bytes = nullptr;
  const int size = encode(object, &bytes);
  if (size > 0) out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
}

int cert_pem_to_der(lua_State* L) {
  std::string error;
  const std::string_view pem = text_at(L, 1);
  auto chain = made<const CertificateChain>([&] { return std::make_shared<const CertificateChain>(parse_certificate(pem)); }, error);
  if (!chain) return push_error(L, error);
  std::string der;
  append_der<X509>(der, chain->leaf.get(), i2d_X509);
  for (const X509Ptr& other : chain->others) append_der<X509>(der, other.get(), i2d_X509);
  push(L, der);
  return 1;
}
int key_pem_to_der(lua_State* L) {
  std::string error;
  const SharedKey key = parse_pem(text_at(L, 1), error);
  if (!key) return push_error(L, error);
  std::string der;
  append_der<EVP_PKEY>(der, key.get(), i2d_PrivateKey);
  push(L, der);
  return 1;
}

constexpr luaL_Reg kSsl[] = {{"ssl_server_name", server_name}, {"ssl_version", version}, {"ssl_raw_server_addr", raw_server_addr},
                             {"ssl_raw_client_addr", raw_client_addr}, {"ssl_server_port", server_port},
                             {"ssl_parse_pem_cert", parse_pem_cert}, {"ssl_parse_pem_key", parse_pem_key},
                             {"ssl_cert_pem_to_der", cert_pem_to_der}, {"ssl_key_pem_to_der", key_pem_to_der}};

}  // namespace

ChainPtr chain_at(lua_State* L, int index) { return *static_cast<ChainPtr*>(luaL_checkudata(L, index, kChain)); }
SharedKey key_at(lua_State* L, int index) { return *static_cast<SharedKey*>(luaL_checkudata(L, index, kKey)); }

bool give_chain(SSL* ssl, const CertificateChain& chain) {
  ERR_clear_error();
  if (SSL_use_certificate(ssl, chain.leaf.get()) != 1) return false;
  SSL_clear_chain_certs(ssl);
  for (const X509Ptr& other : chain.others)
    if (SSL_add1_chain_cert(ssl, other.get()) != 1) return false;
  return true;
}

std::span<const luaL_Reg> ssl_api() { return kSsl; }

}  // namespace seawall::lua
