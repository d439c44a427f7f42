#include "set.h"

#include <atomic>

#include "api.h"
#include "lua.h"

namespace seawall::lua {
namespace {

class SetScript {
 public:
  ChunkPtr chunk;
  std::vector<Template> arguments;
};

std::atomic<int> scripts{0};

bool run_script(Exchange& x, std::string_view, const void* data, std::string& out) {
  const auto& script = *static_cast<const SetScript*>(data);
  SetArguments arguments;
  for (const Template& argument : script.arguments) arguments.values.push_back(argument.eval(x));
  Vm& vm = vm_of(x);
  Call call(Hook::set, &x);
  call.more = &arguments;
  if (!vm.run(*script.chunk, call, 1)) {
    x.log(Level::error, vm.error.starts_with("failed to load") ? vm.error : "failed to run set_by_lua*: " + vm.error);
    x.state<Lua>().set_failed = true;
    return true;
  }
  lua_State* const L = vm.state();
  if (!lua_isnil(L, -1)) out += error_text(L);
  vm.settle();
  return true;
}

}  // namespace

void set_variable(Conf&, const Invocation& in) {
  world_of(in).sets = true;
  auto script = std::make_shared<SetScript>();
  script->chunk = std::make_shared<const Chunk>(in, 1);
  for (std::size_t i = 2; i < in.args().size(); ++i) script->arguments.push_back(in.compile(in.arg(i)));
  Variable variable;
  variable.name = "seawall_set_by_lua_" + std::to_string(scripts++);
  variable.get = run_script;
  variable.data = script.get();
  Node node;
  node.name = "set";
  node.args = {in.arg(0), "${" + variable.name + "}"};
  node.place = in.node.place;
  in.binder.variables().define(std::move(variable));
  world_of(in).kept.push_back(script);
  for (const DirectiveSource::Row& row : in.binder.source().find("set")) {
    if (!(row.directive->where & in.where)) continue;
    const Invocation set(node, in.where, in.settings, in.binder);
    return row.directive->apply(in.binder.own(in.settings, row.module), set);
  }
  throw ConfigError("\"" + in.node.name + "\" needs the module rewrite");
}

}  // namespace seawall::lua
