// The directives that make the skeleton: http, server, location, listen, server_name, load_module.
#include <unistd.h>

#include "seawall/server/core_module.h"
#include "seawall/server/named_captures.h"
#include "seawall/server/unnamed_location.h"
#include "seawall/server/worker_folders.h"

namespace seawall {
namespace {

std::string host_name() {
  char name[256] = "";
  ::gethostname(name, sizeof name - 1);
  return name;
}

CoreBlocks& blocks_of(const Invocation& in, Settings& settings) {
  return *static_cast<CoreBlocks*>(in.binder.own(settings, module_number<BlocksModule>));
}

CoreConf& core_of(const Invocation& in, Settings& settings) {
  return *static_cast<CoreConf*>(in.binder.own(settings, module_number<CoreModule>));
}

void open_http(CoreBlocks& blocks, const Invocation& in) {
  if (blocks.http) throw_duplicate("http");
  blocks.http = &in.binder.open(in, kHttp);
  Setting<Root>& root = core_of(in, *blocks.http).root;
  if (!root.is_set()) root.set(Root::unwritten(in.prefixed("html")), in.node.place);
  Setting<std::string>& bodies = core_of(in, *blocks.http).client_body_temp_path;
  if (bodies.is_set()) return;
  bodies.set(in.prefixed("client_body_temp"), in.node.place);
  note_worker_folder(*bodies);
}

void open_server(CoreBlocks& blocks, const Invocation& in) {
  blocks.servers.push_back(&in.binder.open(in, kServer));
}

// What an alias replaces is known only now that its block has been read.
void tie_alias(Setting<Root>& root, const Location& location) {
  try {
    root.edit().stands_in(location);
  } catch (const ConfigError& error) {
    throw ConfigError(error.what(), root.place());
  }
}

// Nested locations are bound into the inner block's own CoreBlocks and then hung under their parent, whose rules
// add_location() checks.
void hang_under(Location& location, const Invocation& in) {
  if (!location.settings->owns(module_number<BlocksModule>)) return;
  for (auto& nested : blocks_of(in, *location.settings).locations) add_location(location, std::move(nested));
}

void open_location(CoreBlocks& blocks, const Invocation& in) {
  std::unique_ptr<Location> location = parse_location(in.args(), in.node.place);
  if (location->regex) define_named_captures(*location->regex, in.binder.variables());
  blocks.opening = location.get();
  Settings& settings = in.binder.open(in, kLocation);
  blocks.opening = nullptr;
  location->settings = &settings;
  if (settings.owns(module_number<CoreModule>)) {
    Setting<Root>& root = core_of(in, settings).root;
    if (root.is_set()) tie_alias(root, *location);
  }
  hang_under(*location, in);
  blocks.locations.push_back(std::move(location));
}

void add_listen(CoreBlocks& blocks, const Invocation& in) {
  blocks.listens.push_back(parse_listen(in.args(), [&](const std::string& text) { in.warn(text); }));
}

void add_server_names(CoreBlocks& blocks, const Invocation& in) {
  for (const std::string& word : in.args()) {
    blocks.names.push_back(ServerName::parse(word, host_name(), [&](const std::string& text) { in.warn(text); }));
    if (blocks.names.back().regex) define_named_captures(*blocks.names.back().regex, in.binder.variables());
  }
}

void load_module(CoreBlocks&, const Invocation& in) {
  if (in.binder.source().load(in.prefixed(in.arg(0)))) return;
  in.warn("module \"" + in.arg(0) + "\" of nginx is not loaded: its directives are ours where they are built");
}

const Directive rows[] = {
    block<CoreBlocks>("http", kMain, 0, 0, open_http, "Everything HTTP."),
    block<CoreBlocks>("server", kHttp, 0, 0, open_server, "One virtual server."),
    block<CoreBlocks>("location", kServer | kLocation, 1, 2, open_location, "What serves a part of the paths."),
    custom<CoreBlocks>("listen", kServer, 1, kMany, "address[:port] [option ...]", add_listen,
                       "An address the server answers on.", nullptr, "*:80"),
    custom<CoreBlocks>("server_name", kServer, 1, kMany, "name ...", add_server_names,
                       "Host names of the server: exact, *.wildcard, wildcard.*, ~regex.", nullptr, "\"\""),
    custom<CoreBlocks>("load_module", kMain, 1, 1, "file", load_module,
                       "Loads a module that no directive of the index names; nginx's own are skipped with a warning."),
};

}  // namespace

const std::span<const Directive> BlocksModule::directives = rows;

Location& open_unnamed(const Invocation& in, Where where) {
  auto location = std::make_unique<Location>(Location::Kind::unnamed, std::string(), in.node.place);
  location->settings = &in.binder.open(in, where);
  hang_under(*location, in);
  return *blocks_of(in, in.settings).locations.emplace_back(std::move(location));
}

Location* location_of(const Invocation& in) {
  if (in.where != kLocation) return nullptr;
  return blocks_of(in, *in.settings.outer).opening;
}

}  // namespace seawall
