#include "seawall/server/root.h"

#include <algorithm>

#include "seawall/route/location.h"

namespace seawall {
namespace {

bool mentions(std::string_view text, std::string_view variable) {
  return text.find("$" + std::string(variable)) != std::string_view::npos ||
         text.find("${" + std::string(variable) + "}") != std::string_view::npos;
}

}  // namespace

Root::Root(Kind kind, const Invocation& in) : kind_(kind), prefix_(in.prefixed("")) {
  const std::string& word = in.arg(0);
  for (const char* variable : {"document_root", "realpath_root"})
    if (mentions(word, variable))
      throw ConfigError("the $" + std::string(variable) + " variable cannot be used in the \"" + in.node.name + "\" directive");
  std::string text = word;
  if (kind == Kind::root && text.ends_with('/')) text.pop_back();
  if (!word.starts_with('/') && !word.starts_with('$')) text = in.prefixed(text);
  value_ = in.compile(text);
}

Root Root::unwritten(std::string directory) {
  Root root;
  root.value_ = Template::literal(std::move(directory));
  return root;
}

void Root::stands_in(const Location& location) {
  if (!is_alias()) return;
  if (location.kind == Location::Kind::named)
    throw ConfigError("the \"alias\" directive cannot be used inside the named location");
  if (location.kind == Location::Kind::regex) kind_ = Kind::alias_of_regex;
  else replaced_ = location.name;
}

std::size_t Root::append(Exchange& x, std::string& out) const {
  const std::size_t from = out.size();
  if (value_.is_literal()) {
    out += value_.source();
    return out.size();
  }
  value_.append(x, out);
  if (out.size() > from && out[from] == '/') {
    const std::size_t own = value_.source().find('$');
    return from + std::min(own, value_.source().size());
  }
  out.insert(from, prefix_);
  return from + prefix_.size();
}

}  // namespace seawall
