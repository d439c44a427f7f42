#include "chunk.h"

#include <algorithm>
#include <atomic>

#include "seawall/config/binder.h"

namespace seawall::lua {
namespace {

std::atomic<int> chunks{0};

// LuaJIT cuts longer names of chunks in its messages.
constexpr std::size_t kLongestName = 56;

// The configuration's file as OpenResty names it: nginx.conf without its folder, others relative to the folder of the configuration;
// the front of a long one is left out.
std::string file_name(const Invocation& in, std::size_t rest) {
  if (!in.node.place.file) return "command line";
  std::string name = *in.node.place.file;
  const std::string& folder = in.binder.options().conf_prefix;
  if (name.ends_with("/nginx.conf")) return "nginx.conf";
  if (name.size() > folder.size() && name.starts_with(folder)) name.erase(0, folder.size());
  if (name.size() + rest > kLongestName) name = "..." + name.substr(name.size() - std::min(name.size(), kLongestName - rest - 3));
  return name;
}

}  // namespace

Chunk::Chunk(const Invocation& in, std::size_t word) : number(chunks++) {
  std::string hook = in.node.name;
  if (hook.ends_with("_file")) {
    is_file = true;
    path = in.compile(in.arg(word));
    prefix = in.binder.options().prefix;
    name = "@" + in.arg(word);
    return;
  }
  if (hook.ends_with("_block")) hook.erase(hook.size() - 6);
  text = in.node.is_block ? in.node.raw : in.arg(word);
  // Of a text in quotes the line in which the directive ends, of a block that in which it begins; as in OpenResty.
  const auto lines = in.node.is_block ? 0 : std::count(text.begin(), text.end(), '\n');
  const std::string line = std::to_string(in.node.place.line + lines);
  name = "=" + hook + "(" + file_name(in, hook.size() + line.size()) + ":" + line + ")";
}

}  // namespace seawall::lua
