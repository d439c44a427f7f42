// Loader: finds the module of a directive, loads its .so and registers what it offers. A module is loaded because a
// directive or a variable of its occurs (modules.index, written by the build) or by load_module; never unloaded: a reload is a
// new process. Start-up thread.
#pragma once
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "seawall/config/binder.h"
#include "seawall/module/command.h"
#include "seawall/module/module.h"
#include "seawall/route/plan.h"

namespace seawall {

class Loader final : public DirectiveSource {
 public:
  // `directory` holds the .so files and modules.index. Registers the core's tables and defines its variables.
  Loader(std::string directory, VariableTable& variables);

  std::span<const Row> find(std::string_view name) override;
  const ConfType& type(int module) const override { return loaded_[static_cast<std::size_t>(module)]->conf; }
  int modules() const override { return static_cast<int>(loaded_.size()); }
  std::vector<std::string_view> names() const override;

  bool load(const std::string& file) override;

  // That of a module which the configuration has loaded. ConfigError: it has not, or the module has none.
  class Command {
   public:
    CommandFunction function;
    int module;
  };
  Command command(const std::string& module) const;

  const Module& module(int number) const { return *loaded_[static_cast<std::size_t>(number)]; }
  // Steps and filters of all modules in the order in which they run where phase and stage are the same.
  std::vector<Offer> offers() const;

  // Gives the modules the numbers that they have here: another Loader has given them others meanwhile, when a configuration
  // was read and refused. Before each fork of a worker.
  void adopt() const;

  // Loads every module of the directory (index, README tables).
  void load_all();

 private:
  void open(const std::string& file);
  void find_variable(std::string_view name);
  void add(const Module& module);

  const std::string directory_;
  VariableTable& variables_;
  std::vector<const Module*> loaded_;
  std::unordered_map<std::string, std::vector<Row>> rows_;
  std::multimap<std::string, std::string, std::less<>> index_;  // directive or $variable -> file name of the module
};

// Writes DIRECTORY/modules.index from the .so files in it: a line "NAME FILE" for each directive and, behind a '$', each
// variable. A module that does not fit this server is left out, with a warning. Throws std::runtime_error when the index cannot
// be written: the old one stays.
void write_module_index(const std::string& directory, const std::function<void(const std::string&)>& warn);

}  // namespace seawall
