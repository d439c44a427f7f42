// Chunk: a piece of Lua as the configuration has it: its text, or the name of its file. Made at start-up, compiled by each VM when
// it is first run (vm.h). Immutable; any loop.
#pragma once
#include <memory>
#include <string>

#include "seawall/config/directive.h"

namespace seawall::lua {

class Chunk {
 public:
  // HOOK_by_lua TEXT, HOOK_by_lua_block { TEXT }, HOOK_by_lua_file PATH; `word`: which argument is the text or the path.
  Chunk(const Invocation& in, std::size_t word = 0);

  int number;          // dense among all chunks of this process
  std::string name;    // as Lua's messages have it: "=content_by_lua(nginx.conf:40)"; of a file "@PATH"
  std::string text;    // not of a file
  bool is_file = false;
  Template path;       // of a file, relative to `prefix`
  std::string prefix;
};
using ChunkPtr = std::shared_ptr<const Chunk>;

}  // namespace seawall::lua
