#include "seawall/process/directive_tables.h"

#include <iostream>

#include "seawall/config/known_names.h"
#include "seawall/module/loader.h"
#include "seawall/process/installation.h"

namespace seawall {
namespace {

std::string contexts_of(unsigned where) {
  static constexpr std::pair<unsigned, const char*> names[] = {
      {kMain, "main"}, {kEvents, "events"}, {kHttp, "http"}, {kServer, "server"}, {kLocation, "location"},
      {kServerIf, "if in server"}, {kLocationIf, "if in location"}, {kLimitExcept, "limit_except"}, {kUpstream, "upstream"}};
  std::string text;
  for (const auto& [bit, name] : names) {
    if (!(where & bit)) continue;
    if (!text.empty()) text += ", ";
    text += name;
  }
  return text;
}

// A cell must not end its column.
std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, "\\");
  return text;
}

void print(const Module& module) {
  if (module.conf.directives.empty()) return;
  std::cout << "| directive | argument | default | where | what it does |\n|---|---|---|---|---|\n";
  for (const Directive& d : module.conf.directives)
    std::cout << "| `" << d.name << "` | " << cell(d.kind) << " | "
              << (d.otherwise.empty() ? "" : "`" + cell(d.otherwise) + "`") << " | " << contexts_of(d.where) << " | "
              << cell(d.help) << " |\n";
}

// Every module of this installation, loaded.
class Catalogue {
 public:
  Catalogue() : loader_(module_directory(), variables_) { loader_.load_all(); }
  Loader& loader() { return loader_; }

 private:
  VariableTable variables_;
  Loader loader_;
};

}  // namespace

bool print_directive_table(const std::string& name) {
  Catalogue all;
  for (int i = 0; i < all.loader().modules(); ++i) {
    if (all.loader().module(i).name != name) continue;
    print(all.loader().module(i));
    return true;
  }
  std::cerr << "seawall: no module is named \"" << name << "\"\n";
  return false;
}

bool print_module_names() {
  Catalogue all;
  for (int i = 0; i < all.loader().modules(); ++i)
    std::cout << all.loader().module(i).name << ": " << all.loader().module(i).summary << "\n";
  return true;
}

bool print_refused_names() {
  Catalogue all;
  for (const KnownName& known : known_names())
    if (known.state == KnownName::unbuilt && all.loader().find(known.name).empty()) std::cout << known.name << "\n";
  return true;
}

}  // namespace seawall
