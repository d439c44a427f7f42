#include "seawall/server/content_type.h"

#include "seawall/base/text.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/exchange.h"

namespace seawall {
namespace {

// nginx's own table, where no `types` block is written.
const MimeTypes& types_of(const CoreConf& core) {
  static const MimeTypes otherwise{{"html", "text/html"}, {"gif", "image/gif"}, {"jpg", "image/jpeg"}};
  return *core.types ? **core.types : otherwise;
}

// After the last dot of the last segment, unless the dot begins it.
std::string_view extension(std::string_view uri) {
  std::size_t at = uri.size();
  while (at > 0 && uri[at - 1] != '.' && uri[at - 1] != '/') --at;
  if (at < 2 || uri[at - 1] == '/' || uri[at - 2] == '/') return {};
  return uri.substr(at);
}

}  // namespace

std::string_view content_type_of(const Exchange& x) {
  const CoreConf& core = x.core();
  if (const std::string_view name = extension(x.uri); !name.empty()) {
    const MimeTypes& types = types_of(core);
    if (const auto found = types.find(lower(name)); found != types.end()) return found->second;
  }
  return *core.default_type;
}

}  // namespace seawall
