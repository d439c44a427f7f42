// Turns a ConfigTree into typed Conf structs: one per block and module, made only where a directive of that module is
// written, so that 10,000 server blocks that say nothing about a module share one struct. Start-up thread; the result is
// immutable and read by every loop.
#pragma once
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "seawall/config/directive.h"
#include "seawall/config/variable.h"
#include "seawall/config/zones.h"

namespace seawall {

// The number of module M, written by the loader when M is loaded; each .so has its own copy.
template <class M>
inline int module_number = -1;

// Where directives come from: the core's own tables and the modules', which are loaded when a directive of theirs
// occurs. Implemented by module/loader.h. Numbers are dense from 0 in the order of loading.
class DirectiveSource {
 public:
  struct Row {
    const Directive* directive;
    int module;
  };
  virtual ~DirectiveSource() = default;
  virtual std::span<const Row> find(std::string_view name) = 0;  // loads the module if it must; empty: nobody's
  virtual const ConfType& type(int module) const = 0;
  virtual int modules() const = 0;
  // load_module FILE; false: one of nginx's own, which is never opened. ConfigError: it cannot be loaded.
  virtual bool load(const std::string& file) = 0;
  // All names that could be meant, for "did you mean".
  virtual std::vector<std::string_view> names() const = 0;
};

// The settings of one block: for each module its Conf, own or the outer block's.
class SEAWALL_API Settings {
 public:
  Settings(Settings* outer, Where where, const Place& place) : outer(outer), where(where), place(place) {}
  Settings* const outer;
  const Where where;
  const Place place;

  // The Conf in force; after binding it is complete. Null only before the binder has made the main block's.
  const void* get(int module) const;
  bool owns(int module) const { return static_cast<std::size_t>(module) < own_.size() && own_[static_cast<std::size_t>(module)]; }
  // The blocks inside this one, in the order written.
  std::span<Settings* const> inner() const { return inner_; }

 private:
  friend class Binder;
  struct Conf {
    void* conf = nullptr;
    const ConfType* type = nullptr;
    Conf() = default;
    Conf(void* c, const ConfType* t) : conf(c), type(t) {}
    Conf(Conf&& o) noexcept : conf(std::exchange(o.conf, nullptr)), type(o.type) {}
    Conf& operator=(Conf&& o) noexcept { std::swap(conf, o.conf); std::swap(type, o.type); return *this; }
    ~Conf() { if (conf) type->destroy(conf); }
    explicit operator bool() const { return conf != nullptr; }
  };
  std::vector<Conf> own_;
  std::vector<Settings*> inner_;
};

class SEAWALL_API Binder {
 public:
  struct Options {
    std::string prefix;       // -p, ends with '/'
    std::string conf_prefix;  // the directory of the configuration file, ends with '/'
    std::function<void(const std::string&)> warn;    // a finished line without level
    std::function<void(const std::string&)> notice;  // directives that have no meaning here; may be empty
  };
  Binder(DirectiveSource& source, VariableTable& variables, Options options);
  ~Binder();

  // Binds a whole tree: applies every directive, then inherits from the outside in, then checks each Conf.
  // ConfigError with nginx's wording and " in FILE:LINE".
  Settings& bind(const ConfigTree& tree);

  // For block directives: a new Settings inside `in.settings`, filled from the node's children as `where`.
  Settings& open(const Invocation& in, Where where);

  // The Conf of `module` in `settings`, made if this block has none of its own yet. While binding only.
  void* own(Settings& settings, int module);
  // Runs after inheritance and checks, in the order asked for: what needs complete settings (plans, TLS contexts).
  void at_end(std::function<void()> work);

  VariableTable& variables() { return variables_; }
  ZoneTable& zones() { return zones_; }
  const Options& options() const { return options_; }
  DirectiveSource& source() { return source_; }

 private:
  void apply(const Node& node, Where where, Settings& settings);
  void unknown(const Node& node);
  void bind_children(const std::vector<Node>& nodes, Where where, Settings& settings);
  void inherit(Settings& settings);
  void check(Settings& settings);

  DirectiveSource& source_;
  VariableTable& variables_;
  Options options_;
  std::deque<Settings> all_;
  ZoneTable zones_;
  std::vector<std::function<void()>> at_end_;
};

}  // namespace seawall
