#include "seawall/module/loader.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <stdexcept>

#include "seawall/module/core_modules.h"
#include "seawall/server/cached_variable.h"

namespace seawall {
namespace {

namespace fs = std::filesystem;

// Where the order within one phase matters it is written here, once: names that are not listed come behind "server" and
// before "static", in the order in which they were loaded. As in nginx: slices become a whole before anything of the core judges
// the response; access rules before passwords, passwords before
// subrequests; a site of php_fastcgi behind the handlers of its locations, and only what is no handler of one (*_pass, echo) looks for
// a file: any of a folder, index, listing, packed ones, plain ones; try_files (of static) before copies.
constexpr std::string_view kFirst[] = {"main", "slice", "core", "files", "server", "ssl", "access_log", "realip", "acme", "redirect",
                                       "limit_except", "rewrite", "limit_req", "limit_conn", "access", "auth_basic", "auth_request"};
constexpr std::string_view kLast[] = {"fastcgi", "random_index", "index", "autoindex", "compress", "static", "mirror"};

int rank(std::string_view name) {
  constexpr int kFirsts = std::size(kFirst);
  const auto* first = std::find(std::begin(kFirst), std::end(kFirst), name);
  if (first != std::end(kFirst)) return static_cast<int>(first - kFirst);
  const auto* last = std::find(std::begin(kLast), std::end(kLast), name);
  return last == std::end(kLast) ? kFirsts : kFirsts + 1 + static_cast<int>(last - kLast);
}

[[noreturn]] void fail(const std::string& file, const std::string& why) {
  throw ConfigError("cannot load module \"" + file + "\": " + why);
}

}  // namespace

Loader::Loader(std::string directory, VariableTable& variables)
    : directory_(std::move(directory)), variables_(variables) {
  for (const Module& module : core_modules()) add(module);
  std::ifstream index(directory_ + "/modules.index");
  for (std::string directive, file; index >> directive >> file;) index_.emplace(directive, file);
  variables_.set_finder([this](std::string_view name) { find_variable(name); });
}

void Loader::add(const Module& module) {
  const int number = modules();
  *module.number = number;
  loaded_.push_back(&module);
  for (const Directive& directive : module.conf.directives) {
    Row row;
    row.directive = &directive;
    row.module = number;
    rows_[directive.name].push_back(row);
  }
  for (const VariableRow& row : module.variables) {
    if (row.cached) {
      variables_.define(cached_variable(row));
      continue;
    }
    Variable variable;
    variable.name = row.name;
    variable.prefix = variable.name.ends_with('*');
    if (variable.prefix) variable.name.pop_back();
    variable.get = row.get;
    variable.changeable = row.changeable;
    variable.set = row.set;
    variables_.define(std::move(variable));
  }
}

// By the whole name, else as one of a prefix variable, the longest first.
void Loader::find_variable(std::string_view name) {
  std::string key = "$" + std::string(name);
  auto found = index_.find(key);
  for (auto end = key.rfind('_'); found == index_.end() && end != std::string::npos && end > 0; end = key.rfind('_', end - 1))
    found = index_.find(key.substr(0, end + 1) + "*");
  if (found == index_.end()) return;
  const std::string file = found->second;
  index_.erase(found);
  open(directory_ + "/" + file);
}

void Loader::adopt() const {
  for (int i = 0; i < modules(); ++i) *module(i).number = i;
}

std::span<const Loader::Row> Loader::find(std::string_view name) {
  const auto [from, to] = index_.equal_range(name);
  for (auto it = from; it != to; it = index_.erase(it)) open(directory_ + "/" + it->second);
  const auto found = rows_.find(std::string(name));
  if (found == rows_.end()) return {};
  return found->second;
}

std::vector<std::string_view> Loader::names() const {
  std::vector<std::string_view> all;
  for (const auto& [name, rows] : rows_) all.push_back(name);
  for (const auto& [name, file] : index_)
    if (!name.starts_with('$')) all.push_back(name);
  return all;
}

// RTLD_LOCAL: two modules never see each other's symbols. Only size and build are read before they are known to fit.
void Loader::open(const std::string& file) {
  void* handle = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) fail(file, ::dlerror());
  auto* entry = reinterpret_cast<const Module* (*)()>(::dlsym(handle, "seawall_module"));
  if (!entry) fail(file, "it has no \"seawall_module\": not a module of seawall");
  const Module* module = entry();
  if (module->size != sizeof(Module) || std::strcmp(module->build, SEAWALL_BUILD) != 0)
    fail(file, std::string("it was built for \"") + module->build + "\", this is \"" SEAWALL_BUILD "\"");
  if (std::find(loaded_.begin(), loaded_.end(), module) == loaded_.end()) add(*module);
}

Loader::Command Loader::command(const std::string& name) const {
  for (int i = 0; i < modules(); ++i) {
    if (module(i).name != name) continue;
    // Again, for its handle: the file that its descriptor lies in.
    Dl_info where{};
    void* const handle = ::dladdr(&module(i), &where) ? ::dlopen(where.dli_fname, RTLD_NOW | RTLD_LOCAL) : nullptr;
    const auto function = handle ? reinterpret_cast<CommandFunction>(::dlsym(handle, "seawall_command")) : nullptr;
    if (!function) throw ConfigError("the module \"" + name + "\" has no command");
    return Command{function, i};
  }
  throw ConfigError("the configuration has no directive of the module \"" + name + "\"");
}

bool Loader::load(const std::string& path) {
  const std::string file = fs::path(path).filename();
  if (file.starts_with("ngx_") || file.starts_with("ndk_")) return false;
  const std::string beside = directory_ + "/" + file;  // what is installed with the server needs no folder
  open(!fs::exists(path) && fs::exists(beside) ? beside : path);
  return true;
}

std::vector<Offer> Loader::offers() const {
  std::vector<Offer> all;
  for (int i = 0; i < modules(); ++i) {
    const Module& m = module(i);
    Offer offer;
    offer.number = i;
    offer.module = m.name;
    offer.steps = m.steps;
    offer.filters = m.filters;
    offer.log = m.log;
    all.push_back(offer);
  }
  std::stable_sort(all.begin(), all.end(), [](const Offer& a, const Offer& b) { return rank(a.module) < rank(b.module); });
  return all;
}

void Loader::load_all() {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(directory_))
    if (entry.path().extension() == ".so") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const std::string& file : files) open(file);
}

void write_module_index(const std::string& directory, const std::function<void(const std::string&)>& warn) {
  VariableTable variables;
  Loader loader(directory, variables);
  const int core = loader.modules();
  std::string text;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() != ".so") continue;
    const int before = loader.modules();
    try {
      loader.load(entry.path());
    } catch (const ConfigError& unfit) {  // of another build, say: the others are found all the same
      warn(unfit.what());
      continue;
    }
    const std::string file = " " + entry.path().filename().string() + "\n";
    for (int i = std::max(core, before); i < loader.modules(); ++i) {
      for (const Directive& directive : loader.module(i).conf.directives) text += directive.name + file;
      for (const char* directive : loader.module(i).loaded_by) text += directive + file;
      for (const VariableRow& variable : loader.module(i).variables) text += "$" + std::string(variable.name) + file;
    }
  }
  const std::string path = directory + "/modules.index", temporary = path + ".new";
  std::ofstream out(temporary);
  out << text;
  out.close();
  if (!out) throw std::runtime_error("cannot write \"" + temporary + "\"");
  fs::rename(temporary, path);
}

}  // namespace seawall
