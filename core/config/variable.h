// Variables: $name as something that can be asked of an Exchange. The table is filled at start-up (core, modules, map,
// set) and read by every loop.
#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "seawall/config/tree.h"

namespace seawall {

class Exchange;

// How a variable is got. `rest` is what follows a prefix variable's prefix ("x_real_ip" of $http_x_real_ip), lower case as
// written; `data` is the definer's. Appends to `out`; false: not found, which reads as "" in text and as "-" in logs.
using GetVariable = bool (*)(Exchange& x, std::string_view rest, const void* data, std::string& out);

// What the directive set does to a variable that stands for something of the request ($args).
using SetVariable = void (*)(Exchange& x, std::string_view value);

class Variable {
 public:
  std::string name;          // of a prefix variable: the prefix with its underscore ("http_")
  GetVariable get = nullptr;
  const void* data = nullptr;
  bool prefix = false;
  bool changeable = false;   // the configuration may give it another meaning; the server's own are not
  SetVariable set = nullptr;
};

// A variable as a module declares it.
struct VariableRow {
  const char* name;  // "foo", or "foo_*" for a prefix variable
  GetVariable get;
  bool cached = false;  // asked once a request, which keeps the value; others are computed each time
  SetVariable set = nullptr;
  bool changeable = false;
};

// The variables of one configuration. References are made while parsing, before all definitions are known, and resolved
// at the end.
class SEAWALL_API VariableTable {
 public:
  // Is asked about each name that is not defined when it is first used, or defined by the configuration: it may define it (it
  // is a variable of a module that is not loaded yet).
  void set_finder(std::function<void(std::string_view)> finder) { finder_ = std::move(finder); }
  void define(Variable variable);      // a later definition of the same name replaces an earlier one
  // For what the configuration itself defines (set, map, geo): in lower case, and changeable. ConfigError: the duplicate "NAME"
  // variable, of one that is the server's own.
  const Variable& define_changeable(Variable variable);
  int refer(std::string_view name, const Place& place);  // the number of a reference; the same name has the same number
  void resolve();                      // ConfigError: unknown "name" variable, with the place that used it first
  std::size_t references() const { return references_.size(); }
  const Variable* find(std::string_view name, std::string_view* rest) const;  // exact, else longest prefix

  // Appends the referred variable's value.
  bool get(int reference, Exchange& x, std::string& out) const;
  std::string_view name(int reference) const { return references_[static_cast<std::size_t>(reference)].name; }

 private:
  struct Reference {
    std::string name;
    Place place;
    const Variable* variable = nullptr;
    std::string rest;
  };
  std::function<void(std::string_view)> finder_;
  std::deque<Variable> variables_;
  std::unordered_map<std::string, const Variable*> by_name_;
  std::vector<const Variable*> prefixes_;
  std::deque<Reference> references_;
  std::unordered_map<std::string, int> by_reference_;
};

}  // namespace seawall
