// A directive is a row of a table: name, where it may stand, how many arguments, how it is applied to a typed struct of
// Settings, one sentence of help. Inheritance, "is duplicate", -T, explain and the README tables derive from the rows.
//
//   struct Conf { Setting<bool> on{false}; Setting<std::string> host{}; };
//   const Directive directives[] = {
//     flag("canonical_redirect", kHttp | kServer | kLocation, &Conf::on, "Redirects to canonical_host."),
//     text("canonical_host", kServer, &Conf::host, "The name every request is redirected to."),
//   };
//
// Start-up thread. Errors: ConfigError with nginx's wording.
#pragma once
#include <climits>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "seawall/config/setting.h"
#include "seawall/config/template.h"
#include "seawall/config/tree.h"

namespace seawall {

enum Where : unsigned {
  kMain = 1, kEvents = 2, kHttp = 4, kServer = 8, kLocation = 16, kServerIf = 32, kLocationIf = 64, kLimitExcept = 128,
  kUpstream = 256,
  kAllHttp = kHttp | kServer | kLocation,
};

class Binder;    // config/binder.h: needed only by directives that open blocks
class Settings;  // the settings of one block

// One occurrence of a directive.
class SEAWALL_API Invocation {
 public:
  Invocation(const Node& node, Where where, Settings& settings, Binder& binder)
      : node(node), where(where), settings(settings), binder(binder) {}
  const Node& node;
  Where where;
  Settings& settings;  // of the block the directive stands in
  Binder& binder;
  const std::vector<std::string>& args() const { return node.args; }
  const std::string& arg(std::size_t i) const { return node.args[i]; }
  Template compile(std::string_view text) const;  // a value with variables; unknown ones are reported at the end
  std::string prefixed(std::string_view path) const;       // relative paths against the prefix (-p)
  std::string conf_prefixed(std::string_view path) const;  // ... against the configuration's directory
  void warn(const std::string& message) const;             // one [warn] line with the place
};

// Argument counts of blocks count the words before '{'. Many means "min or more".
inline constexpr int kMany = INT_MAX;

struct Directive {
  const char* name;
  unsigned where;
  int min_args, max_args;
  bool block;        // must be followed by { }
  const char* kind;  // the argument's form for the README: "on | off", "time", "size", "string ...", "block"
  std::string otherwise;  // the default, as text, for the README
  const char* help;
  std::function<void(void* conf, const Invocation&)> apply;
  std::function<void(void* conf, const void* outer)> inherit;  // may be empty
};

// How a Conf struct is made, checked and destroyed, with its table: what the binder needs of a module.
struct ConfType {
  const char* module;
  std::span<const Directive> directives;
  void* (*create)();
  void (*destroy)(void*);
  // After inheritance, once per Conf, from the outside in; may be null; throws ConfigError.
  void (*check)(void* conf, Settings& settings, Binder& binder);
};

// ---- typed values; each throws ConfigError in nginx's wording --------------------------------------------------------
SEAWALL_API bool parse_flag(const Invocation&);                        // on | off
SEAWALL_API std::int64_t parse_number(const Invocation&);
SEAWALL_API std::chrono::milliseconds parse_time(const Invocation&);   // nginx's times: 30, 30s, 1m30s, 500ms; off = 0
SEAWALL_API std::int64_t parse_size(const Invocation&);                // bytes: 8k, 1m, 2g
SEAWALL_API std::string parse_text(const Invocation&);
SEAWALL_API std::vector<std::string> parse_words(const Invocation&);
SEAWALL_API Template parse_template(const Invocation&);

// The same for one word, where a directive reads several: nothing when the word has not that form.
SEAWALL_API std::optional<std::chrono::milliseconds> time_of(std::string_view word);
SEAWALL_API std::optional<std::int64_t> size_of(std::string_view word);

[[noreturn]] SEAWALL_API void throw_duplicate(const char* name);
[[noreturn]] SEAWALL_API void throw_invalid_value(const std::string& value, const char* name);
SEAWALL_API std::string text_of(bool), text_of(std::int64_t), text_of(std::chrono::milliseconds),
    text_of(const std::string&), text_of(const std::vector<std::string>&), text_of(const Template&);

// A row whose argument list becomes the Setting's value.
template <class Conf, class T>
Directive directive(const char* name, unsigned where, int min_args, int max_args, const char* kind, Setting<T> Conf::*field,
                    T (*parse)(const Invocation&), const char* help, std::string otherwise = {}) {
  Directive d{name, where, min_args, max_args, false, kind, std::move(otherwise), help, {}, {}};
  d.apply = [=](void* conf, const Invocation& in) {
    auto& setting = static_cast<Conf*>(conf)->*field;
    if (setting.is_set()) throw_duplicate(name);
    setting.set(parse(in), in.node.place);
  };
  d.inherit = [=](void* conf, const void* outer) {
    (static_cast<Conf*>(conf)->*field).inherit(static_cast<const Conf*>(outer)->*field);
  };
  return d;
}

// A row for a list: every occurrence in one block adds to it; the whole list inherits or not at all (add_header).
template <class Conf, class T>
Directive list(const char* name, unsigned where, int min_args, int max_args, const char* kind,
               Setting<std::vector<T>> Conf::*field, void (*append)(std::vector<T>&, const Invocation&), const char* help) {
  Directive d{name, where, min_args, max_args, false, kind, {}, help, {}, {}};
  d.apply = [=](void* conf, const Invocation& in) {
    auto& setting = static_cast<Conf*>(conf)->*field;
    append(setting.edit(), in);
    setting.mark_set(in.node.place);
  };
  d.inherit = [=](void* conf, const void* outer) {
    (static_cast<Conf*>(conf)->*field).inherit(static_cast<const Conf*>(outer)->*field);
  };
  return d;
}

// A row that does what it likes with the struct and the node (several Settings at once, blocks).
template <class Conf>
Directive custom(const char* name, unsigned where, int min_args, int max_args, const char* kind,
                 void (*apply)(Conf&, const Invocation&), const char* help,
                 void (*inherit)(Conf&, const Conf&) = nullptr, std::string otherwise = {}) {
  Directive d{name, where, min_args, max_args, false, kind, std::move(otherwise), help, {}, {}};
  d.apply = [=](void* conf, const Invocation& in) { apply(*static_cast<Conf*>(conf), in); };
  if (inherit)
    d.inherit = [=](void* conf, const void* outer) { inherit(*static_cast<Conf*>(conf), *static_cast<const Conf*>(outer)); };
  return d;
}
template <class Conf>
Directive block(const char* name, unsigned where, int min_args, int max_args, void (*apply)(Conf&, const Invocation&),
                const char* help, void (*inherit)(Conf&, const Conf&) = nullptr) {
  Directive d = custom<Conf>(name, where, min_args, max_args, "block", apply, help, inherit);
  d.block = true;
  return d;
}

template <class C> Directive flag(const char* n, unsigned w, Setting<bool> C::*f, const char* help) {
  return directive<C, bool>(n, w, 1, 1, "on | off", f, parse_flag, help, text_of(*(C{}.*f)));
}
template <class C> Directive number(const char* n, unsigned w, Setting<std::int64_t> C::*f, const char* help) {
  return directive<C, std::int64_t>(n, w, 1, 1, "number", f, parse_number, help, text_of(*(C{}.*f)));
}
template <class C> Directive duration(const char* n, unsigned w, Setting<std::chrono::milliseconds> C::*f, const char* help) {
  return directive<C, std::chrono::milliseconds>(n, w, 1, 1, "time", f, parse_time, help, text_of(*(C{}.*f)));
}
template <class C> Directive size(const char* n, unsigned w, Setting<std::int64_t> C::*f, const char* help) {
  return directive<C, std::int64_t>(n, w, 1, 1, "size", f, parse_size, help, text_of(*(C{}.*f)));
}
template <class C> Directive text(const char* n, unsigned w, Setting<std::string> C::*f, const char* help) {
  return directive<C, std::string>(n, w, 1, 1, "string", f, parse_text, help, text_of(*(C{}.*f)));
}
template <class C> Directive words(const char* n, unsigned w, Setting<std::vector<std::string>> C::*f, const char* help) {
  return directive<C, std::vector<std::string>>(n, w, 1, kMany, "string ...", f, parse_words, help, text_of(*(C{}.*f)));
}
template <class C> Directive value(const char* n, unsigned w, Setting<Template> C::*f, const char* help) {
  return directive<C, Template>(n, w, 1, 1, "value", f, parse_template, help, text_of(*(C{}.*f)));
}

// One word out of a table, as an enum.
template <class E>
struct Choice {
  const char* word;
  E value;
};
template <class C, class E>
Directive choice(const char* name, unsigned where, Setting<E> C::*field, std::vector<Choice<E>> choices, const char* help) {
  std::string otherwise;
  for (auto& c : choices)
    if (c.value == *(C{}.*field)) otherwise = c.word;
  Directive d{name, where, 1, 1, false, "word", otherwise, help, {}, {}};
  d.apply = [=](void* conf, const Invocation& in) {
    auto& setting = static_cast<C*>(conf)->*field;
    if (setting.is_set()) throw_duplicate(name);
    for (auto& c : choices)
      if (in.arg(0) == c.word) return setting.set(c.value, in.node.place);
    throw_invalid_value(in.arg(0), name);
  };
  d.inherit = [=](void* conf, const void* outer) {
    (static_cast<C*>(conf)->*field).inherit(static_cast<const C*>(outer)->*field);
  };
  return d;
}

}  // namespace seawall
