// The map module: variables whose values follow from other values.
#include "map_table.h"
#include "seawall/base/text.h"
#include "seawall/config/placed.h"
#include "seawall/module/module.h"
#include "seawall/server/written_variables.h"

namespace seawall::map {
namespace {

class Conf;

// One map block.
class Map {
 public:
  const Conf* conf;
  std::size_t number;  // among the maps of the configuration
  std::string name;    // of the variable
  Template source;
  MapTable table;
  bool is_volatile = false;
};

class Conf {
 public:
  std::vector<std::unique_ptr<Map>> maps;
};

class Maps {
 public:
  using Conf = map::Conf;
  static constexpr const char* name = "map";
  static constexpr const char* summary = "variables whose values follow from other values";
  static const std::span<const Directive> directives;
  // What a request knows of a map. Most values are written out in the configuration and need no copy.
  class Known {
   public:
    enum { nothing, running, value_known } what = nothing;
    const std::string* written = nullptr;
    std::string text;
    const std::string& value() const { return written ? *written : text; }
  };
  // What a request has asked for, by the maps' numbers: each once, unless it is volatile.
  class State {
   public:
    std::vector<Known> known;
  };
};

void evaluate(Exchange& x, const Map& map, Maps::Known& known) {
  const Template* value = map.table.find(x, map.source.eval(x));
  known.written = value && value->is_literal() ? &value->source() : nullptr;
  known.text = value && !known.written ? value->eval(x) : std::string();
}

// The captures of the request stay those of its location or rewrite, whatever regexes the map has.
void evaluate_apart(Exchange& x, const Map& map, Maps::Known& known) {
  if (!map.table.has_regexes()) return evaluate(x, map, known);
  Captures kept = x.captures;
  evaluate(x, map, known);
  x.captures = std::move(kept);
}

bool get(Exchange& x, std::string_view, const void* data, std::string& out) {
  const Map& map = *static_cast<const Map*>(data);
  if (const std::string* written = find_written(x, map.name)) return out += *written, true;
  auto& state = x.state<Maps>();
  if (state.known.empty()) state.known.resize(map.conf->maps.size());
  Maps::Known& known = state.known[map.number];
  if (known.what == Maps::Known::running) {
    x.log(Level::error, "cycle while evaluating variable \"" + map.name + "\"");
    return false;
  }
  if (known.what == Maps::Known::nothing) {
    known.what = Maps::Known::running;
    evaluate_apart(x, map, known);
    known.what = map.is_volatile ? Maps::Known::nothing : Maps::Known::value_known;
  }
  out += known.value();
  return true;
}

void add_row(Map& map, const Node& row, const Invocation& in) {
  VariableTable& variables = in.binder.variables();
  if (row.is_block) throw ConfigError("unexpected \"{\"", row.place);
  if (row.args.empty() && row.name == "volatile") map.is_volatile = true;
  else if (row.args.empty() && row.name == "hostnames") map.table.hostnames = true;
  else if (row.args.size() != 1) throw ConfigError("invalid number of the map parameters", row.place);
  else placed(row.place, [&] { map.table.add(row.name, Template::compile(row.args[0], variables, row.place), variables); });
}

// map SOURCE $variable { KEY VALUE; ... }
void open_map(Conf& conf, const Invocation& in) {
  const std::string& word = in.arg(1);
  if (word.size() < 2 || word[0] != '$') throw ConfigError("invalid variable name \"" + word + "\"");
  auto map = std::make_unique<Map>();
  map->conf = &conf;
  map->number = conf.maps.size();
  map->name = lower(word.substr(1));
  map->source = in.compile(in.arg(0));
  for (const Node& row : in.node.children) add_row(*map, row, in);
  Variable variable;
  variable.name = map->name;
  variable.get = get;
  variable.data = map.get();
  in.binder.variables().define_changeable(std::move(variable));
  conf.maps.push_back(std::move(map));
}

const Directive rows[] = {
    block<Conf>("map", kHttp, 2, 2, open_map, "A variable whose value depends on a text with variables; asked once a request."),
};

}  // namespace

const std::span<const Directive> Maps::directives = rows;

}  // namespace seawall::map

using seawall::map::Maps;
SEAWALL_MODULE(Maps)
