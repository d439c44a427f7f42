#include "handshake.h"

#include <openssl/err.h>

#include "api.h"
#include "lua.h"
#include "seawall/server/exchange.h"
#include "seawall/server/handshake_hook.h"
#include "seawall/tls/error.h"
#include "seawall/tls/tls_stream.h"
#include "ssl.h"

namespace seawall::lua {
namespace {

constexpr Hooks kCertificate = bit(Hook::ssl_certificate);
constexpr Hooks kHello = bit(Hook::ssl_client_hello);

// How OpenResty's log says that a script of ssl_certificate_by_lua has ended.
std::string line_of(const Verdict& verdict, bool goes_on, bool has_waited) {
  const int value = verdict.kind == Verdict::failed ? 500 : verdict.kind == Verdict::exit ? verdict.status : 0;
  const std::string handler = has_waited ? "" : "handler return value: " + std::to_string(value) + ", ";
  return "lua_certificate_by_lua: " + handler + "cert cb exit code: " + (goes_on ? "1" : "0");
}

class LuaHandshake final : public HandshakeHook {
 public:
  LuaHandshake(Hook hook, ChunkPtr chunk) : hook_(hook), chunk_(std::move(chunk)) {}

  Task<bool> run(Exchange& nobody, TlsStream& tls, Deadline deadline) const override {
    RequestState& state = nobody.state<Lua>();
    state.tls = &tls;
    Script script(vm_of(nobody), hook_, &nobody, &nobody.background);
    script.until = deadline;
    if (!script.begin(*chunk_)) co_return false;
    const Stop stop = co_await script.run();
    const Verdict verdict = script.verdict;
    co_await script.end();
    state.tls = nullptr;
    const bool goes_on = stop == Stop::finished && (verdict.kind == Verdict::none || (verdict.kind == Verdict::exit && verdict.status == 0));
    log_debug(&nobody, [&] { return line_of(verdict, goes_on, script.has_waited()); });
    co_return goes_on;
  }

 private:
  const Hook hook_;
  const ChunkPtr chunk_;
};

int push_ssl_error(lua_State* L, const char* call) { return push_error(L, std::string(call) + "() failed " + openssl_errors()); }
int push_true(lua_State* L) {
  lua_pushboolean(L, true);
  return 1;
}

int clear_certs(lua_State* L) {
  SSL* const ssl = ssl_of(L, check_call(L, kCertificate, 2));
  if (!ssl) return 2;
  SSL_certs_clear(ssl);
  return push_true(L);
}

int set_chain(lua_State* L, SSL* ssl, const CertificateChain& chain) {
  return give_chain(ssl, chain) ? push_true(L) : push_ssl_error(L, "SSL_use_certificate");
}
int set_key(lua_State* L, SSL* ssl, EVP_PKEY* key) {
  ERR_clear_error();
  return SSL_use_PrivateKey(ssl, key) == 1 ? push_true(L) : push_ssl_error(L, "SSL_use_PrivateKey");
}

int set_cert(lua_State* L) {
  SSL* const ssl = ssl_of(L, check_call(L, kCertificate, 2));
  return ssl ? set_chain(L, ssl, *chain_at(L, 1)) : 2;
}
int set_priv_key(lua_State* L) {
  SSL* const ssl = ssl_of(L, check_call(L, kCertificate, 2));
  return ssl ? set_key(L, ssl, key_at(L, 1).get()) : 2;
}

// One certificate behind another; no leaf: it is none, and openssl_errors() says why.
CertificateChain chain_of_der(std::string_view der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const unsigned char* const end = at + der.size();
  CertificateChain chain;
  ERR_clear_error();
  do {
    X509Ptr one(d2i_X509(nullptr, &at, static_cast<long>(end - at)));
    if (!one) return {};
    if (chain.leaf) chain.others.push_back(std::move(one));
    else chain.leaf = std::move(one);
  } while (at < end);
  return chain;
}

int set_der_cert(lua_State* L) {
  SSL* const ssl = ssl_of(L, check_call(L, kCertificate, 2));
  if (!ssl) return 2;
  const CertificateChain chain = chain_of_der(text_at(L, 1));
  return chain.leaf ? set_chain(L, ssl, chain) : push_ssl_error(L, "d2i_X509_bio");
}

int set_der_key(lua_State* L) {
  SSL* const ssl = ssl_of(L, check_call(L, kCertificate, 2));
  if (!ssl) return 2;
  const std::string_view der = text_at(L, 1);
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  ERR_clear_error();
  const KeyPtr key(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.size())));
  return key ? set_key(L, ssl, key.get()) : push_ssl_error(L, "d2i_PrivateKey_bio");
}

// hello_extension(number): its bytes; nil: the client has not sent it
int hello_extension(lua_State* L) {
  SSL* const ssl = ssl_of(L, check_call(L, kHello, 2));
  if (!ssl) return 2;
  const double number = lua_tonumber(L, 1);
  const unsigned char* data;
  std::size_t size;
  if (number >= 0 && number <= 0xffff && SSL_client_hello_get0_ext(ssl, static_cast<unsigned>(number), &data, &size))
    lua_pushlstring(L, reinterpret_cast<const char*>(data), size);
  else
    lua_pushnil(L);
  return 1;
}

// hello_extensions(): the numbers of those that the client has sent, in its order
int hello_extensions(lua_State* L) {
  SSL* const ssl = ssl_of(L, check_call(L, kHello, 2));
  if (!ssl) return 2;
  int* numbers = nullptr;
  std::size_t count = 0;
  if (!SSL_client_hello_get1_extensions_present(ssl, &numbers, &count)) return push_error(L, "no extensions");
  const std::unique_ptr<int, void (*)(int*)> owner(numbers, [](int* p) { OPENSSL_free(p); });
  lua_createtable(L, static_cast<int>(count), 0);
  for (std::size_t i = 0; i < count; ++i) {
    lua_pushinteger(L, numbers[i]);
    lua_rawseti(L, -2, static_cast<int>(i) + 1);
  }
  return 1;
}

// hello_set_versions(TLSv1, TLSv1.1, TLSv1.2, TLSv1.3): booleans
int hello_set_versions(lua_State* L) {
  Call& call = check_call(L, kHello, 2);
  constexpr std::uint64_t kNo[] = {SSL_OP_NO_TLSv1, SSL_OP_NO_TLSv1_1, SSL_OP_NO_TLSv1_2, SSL_OP_NO_TLSv1_3};
  std::uint64_t refused = SSL_OP_NO_SSLv3;
  for (int i = 0; i < 4; ++i)
    if (!lua_toboolean(L, i + 1)) refused |= kNo[i];
  call.x->state<Lua>().tls->refuse_versions(refused);
  return push_true(L);
}

constexpr luaL_Reg kHandshakeApi[] = {{"ssl_clear_certs", clear_certs}, {"ssl_set_cert", set_cert}, {"ssl_set_priv_key", set_priv_key},
                                      {"ssl_set_der_cert", set_der_cert}, {"ssl_set_der_key", set_der_key},
                                      {"hello_extension", hello_extension}, {"hello_extensions", hello_extensions},
                                      {"hello_set_versions", hello_set_versions}};

}  // namespace

std::shared_ptr<const HandshakeHook> make_handshake_hook(Hook hook, ChunkPtr chunk) {
  return std::make_shared<LuaHandshake>(hook, std::move(chunk));
}

std::span<const luaL_Reg> handshake_api() { return kHandshakeApi; }

}  // namespace seawall::lua
