// balancer_by_lua: a script says which server a try goes to (ngx.balancer). Start-up thread; what it makes, any loop.
#pragma once
#include <memory>

#include "chunk.h"

namespace seawall {
class PeerChooser;
}

namespace seawall::lua {

std::shared_ptr<const PeerChooser> make_chooser(ChunkPtr chunk);

// ngx.exit() in it: what the request is answered with; 0: it goes on.
void exit_balancer(void* more, int status);

}  // namespace seawall::lua
