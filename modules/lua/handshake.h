// ssl_client_hello_by_lua and ssl_certificate_by_lua: scripts for which a handshake stands still, and what they do to it. Made at
// start-up; any loop.
#pragma once
#include <memory>

#include "chunk.h"
#include "hook.h"

namespace seawall {
class HandshakeHook;
}

namespace seawall::lua {

std::shared_ptr<const HandshakeHook> make_handshake_hook(Hook hook, ChunkPtr chunk);

}  // namespace seawall::lua
