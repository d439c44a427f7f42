#include "seawall/process/directives_in_force.h"

#include <algorithm>
#include <iostream>
#include <set>
#include <string>
#include <vector>

#include "seawall/module/loader.h"

namespace seawall {
namespace {

// Is this the block of these settings?
bool is_at(const Node& node, const Place& place) {
  return node.is_block && node.place.line == place.line && node.place.file && place.file && *node.place.file == *place.file;
}

// The blocks around the settings and their own, the innermost first; the main context is none of them.
class Blocks {
 public:
  Blocks(const ConfigTree& tree, const Settings& settings) {
    std::vector<const Settings*> way;
    for (const Settings* s = &settings; s->outer; s = s->outer) way.insert(way.begin(), s);
    const std::vector<Node>* level = &tree.nodes;
    for (const Settings* s : way) {
      const auto found = std::find_if(level->begin(), level->end(), [&](const Node& node) { return is_at(node, s->place); });
      if (found == level->end()) break;
      all.insert(all.begin(), &*found);
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

void print_directives_in_force(const Configuration& conf, const Location& location) {
  Loader& loader = conf.loader();
  const Blocks blocks(conf.tree(), *location.settings);
  std::set<std::string> known;
  std::cout << "in force:\n";
  for (const Node* block : blocks.all) {
    std::set<std::string> here;
    for (const Node& node : block->children) {
      if (node.is_block && node.name != "types") continue;
      if (block != blocks.all.front() && !is_inherited(loader, node.name)) continue;
      if (known.contains(node.name)) continue;
      here.insert(node.name);
      std::cout << "  " << text_of(node) << "; in " << node.place.text() << (block == blocks.all.front() ? "" : ", of " + block->name) << "\n";
    }
    known.merge(here);
  }
}

}  // namespace seawall
