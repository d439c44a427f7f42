#include "seawall/process/directive_tables.h"

#include <iostream>

#include "seawall/module/loader.h"
#include "seawall/process/command_line.h"

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
  std::cout << "| directive | argument | default | where | what it does |\n|---|---|---|---|---|\n";
  for (const Directive& d : module.conf.directives)
    std::cout << "| `" << d.name << "` | " << cell(d.kind) << " | "
              << (d.otherwise.empty() ? "" : "`" + cell(d.otherwise) + "`") << " | " << contexts_of(d.where) << " | "
              << cell(d.help) << " |\n";
}

}  // namespace

bool print_directive_table(const std::string& name) {
  VariableTable variables;
  Loader loader(module_directory(), variables);
  loader.load_all();
  for (int i = 0; i < loader.modules(); ++i) {
    if (loader.module(i).name != name) continue;
    print(loader.module(i));
    return true;
  }
  std::cerr << "seawall: no module is named \"" << name << "\"\n";
  return false;
}

}  // namespace seawall
