#include "seawall/process/directives_in_force.h"

#include <set>
#include <string>
#include <vector>

#include "seawall/module/loader.h"

namespace seawall {
namespace {

bool is_at(const Place& one, const Place& other) {
  return one.line == other.line && one.file && other.file && *one.file == *other.file;
}

// What a block of such settings is called.
bool is_called(const Node& node, Where where) {
  switch (where) {
    case kHttp: return node.name == "http";
    case kServer: return node.name == "server";
    case kLocation: return node.name == "location";
    case kServerIf: case kLocationIf: return node.name == "if";
    case kLimitExcept: return node.name == "limit_except";
    default: return false;
  }
}

// Of several that begin on one line, the settings' is the one that stands as far behind the first of them as they do.
const Node* block_of(const Settings& settings, const std::vector<Node>& level) {
  std::size_t before = 0;
  for (const Settings* other : settings.outer->inner()) {
    if (other == &settings) break;
    before += other->where == settings.where && is_at(other->place, settings.place);
  }
  for (const Node& node : level)
    if (node.is_block && is_called(node, settings.where) && is_at(node.place, settings.place) && before-- == 0) return &node;
  return nullptr;
}

// The blocks around the settings and their own, the innermost first; the main context is none of them.
class Blocks {
 public:
  Blocks(const ConfigTree& tree, const Settings& settings) {
    std::vector<const Settings*> way;
    for (const Settings* s = &settings; s->outer; s = s->outer) way.insert(way.begin(), s);
    const std::vector<Node>* level = &tree.nodes;
    for (const Settings* s : way) {
      const Node* found = block_of(*s, *level);
      if (!found) break;
      all.insert(all.begin(), found);
      level = &found->children;
    }
  }
  std::vector<const Node*> all;
};

std::string text_of(const Node& node) {
  std::string text = node.name;
  for (const std::string& word : node.args) text += " " + (word.empty() || word.find_first_of(" ;{}\"'") != word.npos ? "\"" + word + "\"" : word);
  return text;
}

// Rows that hold in the blocks inside theirs, too.
bool is_inherited(Loader& loader, const std::string& name) {
  for (const auto& row : loader.find(name))
    if (row.directive->inherit) return true;
  return false;
}

}  // namespace

std::string directives_in_force(const Configuration& conf, const Location& location) {
  Loader& loader = conf.loader();
  const Blocks blocks(conf.tree(), *location.settings);
  std::set<std::string> known;
  std::string text;
  for (const Node* block : blocks.all) {
    std::set<std::string> here;
    for (const Node& node : block->children) {
      if (node.is_block && node.name != "types") continue;
      if (block != blocks.all.front() && !is_inherited(loader, node.name)) continue;
      if (known.contains(node.name)) continue;
      here.insert(node.name);
      text += "  " + text_of(node) + "; in " + node.place.text() + (block == blocks.all.front() ? "" : ", of " + block->name) + "\n";
    }
    known.merge(here);
  }
  return text;
}

}  // namespace seawall
