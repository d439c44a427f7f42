// What nghttp2 allocates with: the pool of the thread, so that the dozen small blocks of a stream cost no malloc. Any thread,
// but a block is freed where it was made. Not installed: it needs
// nghttp2's header.
#pragma once
#include <nghttp2/nghttp2.h>

namespace seawall {

nghttp2_mem* h2_memory();

}  // namespace seawall
