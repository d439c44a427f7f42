// Tables of directives for tests of the binder: what the loader is to the server.
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "seawall/config/binder.h"
#include "unit/config/files.h"

namespace test {

// Each table added is a module; numbers are those of adding.
class Source : public seawall::DirectiveSource {
 public:
  template <class Conf>
  int add(std::span<const seawall::Directive> rows, void (*check)(void*, seawall::Settings&, seawall::Binder&) = nullptr) {
    seawall::ConfType type{};
    type.module = "test";
    type.directives = rows;
    type.create = [] { return static_cast<void*>(new Conf); };
    type.destroy = [](void* conf) { delete static_cast<Conf*>(conf); };
    type.check = check;
    types_.push_back(type);
    for (const seawall::Directive& directive : rows) rows_[directive.name].push_back(Row{&directive, modules() - 1});
    return modules() - 1;
  }
  std::span<const Row> find(std::string_view name) override {
    const auto found = rows_.find(name);
    return found == rows_.end() ? std::span<const Row>() : found->second;
  }
  const seawall::ConfType& type(int module) const override { return types_[static_cast<std::size_t>(module)]; }
  int modules() const override { return static_cast<int>(types_.size()); }
  bool load(const std::string&) override { return false; }
  std::vector<std::string_view> names() const override {
    std::vector<std::string_view> all;
    for (const auto& [name, rows] : rows_) all.push_back(name);
    return all;
  }

 private:
  std::deque<seawall::ConfType> types_;
  std::map<std::string, std::vector<Row>, std::less<>> rows_;
};

// One configuration, bound.
class Bound {
 public:
  Bound(Source& source, const std::string& text) : tree(seawall::parse_config(files.write("nginx.conf", text))) {
    seawall::Binder::Options options;
    options.prefix = "/prefix/";
    options.conf_prefix = "/conf/";
    options.warn = [this](const std::string& line) { warnings.push_back(line); };
    options.notice = [this](const std::string& line) { notices.push_back(line); };
    binder = std::make_unique<seawall::Binder>(source, variables, std::move(options));
  }
  seawall::Settings& bind() { return binder->bind(*tree); }
  std::string place(int line) const { return " in " + files.path() + "/nginx.conf:" + std::to_string(line); }

  Files files;
  std::unique_ptr<seawall::ConfigTree> tree;
  seawall::VariableTable variables;
  std::vector<std::string> warnings, notices;
  std::unique_ptr<seawall::Binder> binder;
};

}  // namespace test
