// An nginx configuration as a tree of directives, before anybody knows what they mean. Lives as long as the Config it was
// read for; immutable after parse. Start-up thread.
#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "seawall/base/export.h"

namespace seawall {

// FILE:LINE of a directive; `file` is one of ConfigTree::files and lives as long as the tree.
class Place {
 public:
  const std::string* file = nullptr;
  int line = 0;
  std::string text() const { return file ? *file + ":" + std::to_string(line) : "command line"; }
};

// What is wrong with a configuration. The binder adds the place of the directive to one that comes without.
class SEAWALL_API ConfigError : public std::runtime_error {
 public:
  explicit ConfigError(const std::string& message) : runtime_error(message) {}
  ConfigError(const std::string& message, const Place& place) : runtime_error(message + " in " + place.text()), placed_(true) {}
  bool placed() const { return placed_; }

 private:
  bool placed_ = false;
};

class Node {
 public:
  std::string name;                // the first word
  std::vector<std::string> args;   // quotes and escapes resolved, as nginx does; ${var} left for the template compiler
  bool is_block = false;           // ended by { ... } and not by ;
  std::vector<Node> children;      // of a block; include directives are replaced by what they include
  std::string raw;                 // the text of a *_by_lua_block, braces balanced, verbatim
  Place place;
};

class ConfigFile {
 public:
  std::string path;
  std::string text;  // verbatim, for -T
};

class ConfigTree {
 public:
  std::vector<Node> nodes;       // the main context
  std::deque<ConfigFile> files;  // each once, in the order first read; addresses are stable
};

// Reads `path` and all it includes (relative includes against the directory of `path`, globs sorted). Directives of
// `prepended` (-g) come first. Errors: ConfigError in nginx's wording with " in FILE:LINE".
SEAWALL_API std::unique_ptr<ConfigTree> parse_config(const std::string& path, std::string_view prepended = {});

}  // namespace seawall
