// ngx.ssl: certificates and keys as Lua has them. Any loop.
#pragma once
#include <openssl/ssl.h>

#include <memory>

#include "seawall/tls/pem.h"
#include "vm.h"

namespace seawall::lua {

using ChainPtr = std::shared_ptr<const CertificateChain>;
using SharedKey = std::shared_ptr<EVP_PKEY>;

// The handshake's that stands still, or the connection's. Null, and why is on the stack: it is not TLS.
SSL* ssl_of(lua_State* L, const Call& call);
// Of an argument; raises where it is none.
ChainPtr chain_at(lua_State* L, int index);
SharedKey key_at(lua_State* L, int index);
// False: openssl_errors() says why.
bool give_chain(SSL* ssl, const CertificateChain& chain);

}  // namespace seawall::lua
