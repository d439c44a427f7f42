#include "seawall/config/binder.h"

#include "seawall/config/hint.h"
#include "seawall/config/known_names.h"
#include "seawall/config/placed.h"

namespace seawall {
namespace {

std::string quoted(const std::string& name) { return "\"" + name + "\""; }

}  // namespace

const void* Settings::get(int module) const {
  const auto index = static_cast<std::size_t>(module);
  for (const Settings* s = this; s; s = s->outer)
    if (index < s->own_.size() && s->own_[index]) return s->own_[index].conf;
  return nullptr;
}

Binder::Binder(DirectiveSource& source, VariableTable& variables, Options options)
    : source_(source), variables_(variables), options_(std::move(options)) {
  if (!options_.warn) options_.warn = [](const std::string&) {};
  if (!options_.notice) options_.notice = [](const std::string&) {};
}

Binder::~Binder() = default;

void* Binder::own(Settings& settings, int module) {
  const auto index = static_cast<std::size_t>(module);
  if (settings.own_.size() <= index) settings.own_.resize(index + 1);
  Settings::Conf& conf = settings.own_[index];
  if (!conf) conf = Settings::Conf(source_.type(module).create(), &source_.type(module));
  return conf.conf;
}

Settings& Binder::open(const Invocation& in, Where where) {
  Settings& inner = all_.emplace_back(&in.settings, where, in.node.place);
  in.settings.inner_.push_back(&inner);
  bind_children(in.node.children, where, inner);
  return inner;
}

void Binder::bind_children(const std::vector<Node>& nodes, Where where, Settings& settings) {
  for (const Node& node : nodes) placed(node.place, [&] { apply(node, where, settings); });
}

// A name that no table has: meaningless here, not built yet, or a slip of the pen.
void Binder::unknown(const Node& node) {
  const KnownName* known = find_known_name(node.name);
  if (!known) {
    std::vector<std::string_view> names = source_.names();
    for (const KnownName& name : known_names()) names.push_back(name.name);
    const std::string meant = nearest_name(node.name, names);
    throw ConfigError("unknown directive " + quoted(node.name) +
                      (meant.empty() ? "" : ", did you mean " + quoted(meant) + "?"));
  }
  if (known->state == KnownName::unbuilt) throw ConfigError(quoted(node.name) + " directive is not supported yet");
  if (known->state == KnownName::deferred)
    options_.warn(quoted(node.name) + " directive is not supported yet, ignored in " + node.place.text());
  else
    options_.notice(quoted(node.name) + " directive has no meaning here, ignored in " + node.place.text());
}

void Binder::apply(const Node& node, Where where, Settings& settings) {
  const std::span<const DirectiveSource::Row> rows = source_.find(node.name);
  if (rows.empty()) return unknown(node);
  const DirectiveSource::Row* row = nullptr;
  for (const DirectiveSource::Row& candidate : rows)
    if (candidate.directive->where & where) row = &candidate;
  if (!row) throw ConfigError(quoted(node.name) + " directive is not allowed here");
  const Directive& directive = *row->directive;
  if (directive.block && !node.is_block) throw ConfigError("directive " + quoted(node.name) + " has no opening \"{\"");
  if (!directive.block && node.is_block) throw ConfigError("directive " + quoted(node.name) + " is not terminated by \";\"");
  const auto n = static_cast<int>(node.args.size());
  if (n < directive.min_args || n > directive.max_args)
    throw ConfigError("invalid number of arguments in " + quoted(node.name) + " directive");
  const Invocation in(node, where, settings, *this);
  directive.apply(own(settings, row->module), in);
}

Settings& Binder::bind(const ConfigTree& tree) {
  Settings& main = all_.emplace_back(nullptr, kMain, Place());
  bind_children(tree.nodes, kMain, main);
  // The outermost block has one of each, so that everybody inherits from somebody.
  for (int module = 0; module < source_.modules(); ++module) own(main, module);
  inherit(main);
  check(main);
  zones_.open();
  for (std::size_t i = 0; i < at_end_.size(); ++i) {
    const auto task = std::move(at_end_[i]);  // one may add others
    task();
  }
  return main;
}

void Binder::inherit(Settings& settings) {
  for (std::size_t i = 0; settings.outer && i < settings.own_.size(); ++i) {
    Settings::Conf& conf = settings.own_[i];
    if (!conf) continue;
    const void* outer = settings.outer->get(static_cast<int>(i));
    for (const Directive& directive : conf.type->directives)
      if (directive.inherit) directive.inherit(conf.conf, outer);
  }
  for (Settings* inner : settings.inner_) inherit(*inner);
}

void Binder::check(Settings& settings) {
  for (Settings::Conf& conf : settings.own_) {
    if (!conf || !conf.type->check) continue;
    if (settings.outer) placed(settings.place, [&] { conf.type->check(conf.conf, settings, *this); });
    else conf.type->check(conf.conf, settings, *this);  // the main block has no line
  }
  for (Settings* inner : settings.inner_) check(*inner);
}

void Binder::at_end(std::function<void()> work) { at_end_.push_back(std::move(work)); }

}  // namespace seawall
