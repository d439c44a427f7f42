// Root: what stands before a URI in the path of its file, the value of `root` or `alias`. Made at start-up, read by every
// loop.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

#include "seawall/config/directive.h"
#include "seawall/config/template.h"

namespace seawall {

class Location;

class SEAWALL_API Root {
 public:
  // alias_of_regex: the value is the whole path, mostly with captures of the location's regex in it.
  enum class Kind : std::uint8_t { unwritten, root, alias, alias_of_regex };

  Root() = default;
  // root VALUE; alias VALUE; ConfigError: variables that would name themselves.
  Root(Kind kind, const Invocation& in);
  // What nginx falls back to where nothing is written. Nothing is served from there; variables and try_files name it.
  static Root unwritten(std::string directory);

  // An alias replaces the name of the location it stands in. ConfigError: in a named location.
  void stands_in(const Location& location);

  bool is_written() const { return kind_ != Kind::unwritten; }
  bool is_alias() const { return kind_ == Kind::alias || kind_ == Kind::alias_of_regex; }
  bool is_whole_path() const { return kind_ == Kind::alias_of_regex; }
  // What of the URI an alias replaces.
  const std::string& replaced() const { return replaced_; }

  // Appends the value, absolute. Returns how much of `out` then is the operator's own text, which may hold ".."; what
  // variables brought may not.
  std::size_t append(Exchange& x, std::string& out) const;

 private:
  Kind kind_ = Kind::unwritten;
  Template value_;       // absolute when it is a literal
  std::string prefix_;   // before values that turn out to be relative
  std::string replaced_;
};

}  // namespace seawall
