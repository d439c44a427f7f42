// The location index against a plain search. Input: lines; the first is the path, each other one a name, exact when it
// begins with '=', asking for the redirect that appends a slash when it begins with '>'.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

#include "seawall/route/locations.h"

namespace {

using namespace seawall;
using Kind = Location::Kind;

class Expected {
 public:
  const Location* location;
  bool auto_redirect = false;
};

// nginx's rules for one level without regexes, said slowly.
Expected search(const Location& root, std::string_view path) {
  Expected best{&root};
  const Location* redirect = nullptr;
  std::size_t longest = 0;
  for (const auto& one : root.nested) {
    if (one->kind == Kind::exact && one->name == path) return {one.get()};
    // Of "= /a/" and "/a/" the exact one gives the redirect its settings.
    if (one->name == std::string(path) + "/" && (!redirect || one->kind == Kind::exact)) redirect = one.get();
    if (one->kind == Kind::exact || !path.starts_with(one->name)) continue;
    if (best.location != &root && one->name.size() < longest) continue;
    best.location = one.get();
    longest = one->name.size();
  }
  if (best.location != &root && best.location->name == path) return best;
  for (const auto& one : root.nested)
    if (one->auto_redirect && redirect && one->name == redirect->name) return {redirect, true};
  return best;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const auto next = [&rest] {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() < rest.size() ? line.size() + 1 : rest.size());
    return line;
  };
  const std::string path(next());
  Locations all;
  std::set<std::pair<Kind, std::string>> seen;
  while (!rest.empty()) {
    std::string_view name = next();
    const char mark = name.empty() ? '\0' : name.front();
    const Kind kind = mark == '=' ? Kind::exact : Kind::prefix;
    if (mark == '=' || mark == '>') name.remove_prefix(1);
    if (!seen.emplace(kind, name).second) continue;
    auto location = std::make_unique<Location>(kind, std::string(name), Place());
    location->auto_redirect = mark == '>' && name.ends_with('/');
    all.add(all.root(), std::move(location));
  }
  all.compile();
  Captures captures;
  const auto found = all.find(path, captures);
  const Expected expected = search(all.root(), path);
  if (found.location != expected.location || found.auto_redirect != expected.auto_redirect) std::abort();
  return 0;
}
