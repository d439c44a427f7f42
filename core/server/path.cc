#include "seawall/server/path.h"

#include "seawall/server/core_conf.h"
#include "seawall/server/exchange.h"

namespace seawall {
namespace {

int map(Exchange& x, std::string_view uri, std::string& path) {
  const Root& root = *x.core().root;
  path.clear();
  const std::size_t trusted = root.append(x, path);
  if (!root.is_alias() && !uri.empty() && !uri.starts_with('/')) path += '/';  // after a rewrite to "name"
  path += uri;
  return stays_below(path, trusted) ? 0 : refuse_path(x, path);
}

}  // namespace

int path_of(Exchange& x, std::string& path) {
  const Root& root = *x.core().root;
  if (root.is_whole_path()) return map(x, x.uri_follows_alias ? std::string_view(x.uri) : std::string_view(), path);
  if (!root.is_alias()) return map(x, x.uri, path);
  if (!x.uri.starts_with(root.replaced())) {
    x.log(Level::alert, "\"alias\" cannot be used in location \"" + root.replaced() + "\" where URI was rewritten");
    return 500;
  }
  return map(x, std::string_view(x.uri).substr(root.replaced().size()), path);
}

int root_path_of(Exchange& x, std::string& path) { return map(x, {}, path); }

bool stays_below(std::string_view path, std::size_t trusted) {
  if (path.find('\0') != std::string_view::npos) return false;
  const std::size_t from = trusted > 1 ? trusted - 1 : 0;  // where a ".." that is not all trusted can begin
  for (auto at = path.find("..", from); at != std::string_view::npos; at = path.find("..", at + 1)) {
    const std::size_t end = at + 2;
    if ((at == 0 || path[at - 1] == '/') && (end == path.size() || path[end] == '/')) return false;
  }
  return true;
}

int refuse_path(const Exchange& x, std::string_view path) {
  x.log(Level::error, "\"" + std::string(path) + "\" is refused: it would lead out of its root");
  return 404;
}

}  // namespace seawall
