// Everything a module includes: <seawall/module/module.h>. A module is a struct of settings, a table of directives and
// one or two steps or filters:
//
//   struct CanonicalHost {
//     using Conf = ...;
//     static constexpr const char* name = "canonical_host";
//     static constexpr const char* summary = "redirects a vhost to its canonical name";
//     static inline const Directive directives[] = { ... };
//     static constexpr Step steps[] = {step<Conf, active, redirect>(Phase::rewrite)};
//   };
//   SEAWALL_MODULE(CanonicalHost)
//
// A module is loaded because a directive of its occurs; `static constexpr const char* loaded_by[]` names directives of
// others that load it as well.
// Optional members: Step steps[], Filter filters[], VariableRow variables[], check(Conf&, Settings&, Binder&), State (what the
// module keeps for a request: x.state<M>()), LoopState with LoopState(Loop&, const Conf& main) (x.loop: loop_state<M>),
// log(Exchange&, const Conf&) (called when the response is out), collect(Gathering&, const Conf& main) (what metrics and status show).
//
// The ABI is C++ of the same compiler and the same API number: the loader compares size and build before anything else.
#pragma once
#include <cstdint>
#include <span>

#include "seawall/config/binder.h"
#include "seawall/config/directive.h"
#include "seawall/config/variable.h"
#include "seawall/net/loop.h"
#include "seawall/observe/gathering.h"
#include "seawall/route/step.h"
#include "seawall/server/exchange.h"

namespace seawall {

inline constexpr std::uint32_t kModuleApi = 3;

struct Module {
  std::uint32_t size;  // sizeof(Module), first, with build: checked before anything else is read
  const char* build;
  const char* name;
  const char* summary;
  int* number;         // the loader writes the module's number here
  ConfType conf;
  std::span<const Step> steps;
  std::span<const Filter> filters;
  std::span<const VariableRow> variables;
  std::span<const char* const> loaded_by;
  void (*log)(Exchange&, const void* conf);
  void (*collect)(Gathering&, const void* main_conf);  // what it can say of itself in numbers; any thread
  void* (*loop_start)(Loop&, const void* main_conf);  // on the loop's thread, before it accepts
  void (*loop_stop)(void* state);                     // after its last task
};

#define SEAWALL_TEXT_(x) #x
#define SEAWALL_TEXT(x) SEAWALL_TEXT_(x)
#if defined(__SANITIZE_ADDRESS__)
#define SEAWALL_SANITIZER "; asan"
#elif defined(__SANITIZE_THREAD__)
#define SEAWALL_SANITIZER "; tsan"
#else
#define SEAWALL_SANITIZER ""
#endif
#define SEAWALL_BUILD "seawall api 3; gcc " SEAWALL_TEXT(__GNUC__) "; abi " SEAWALL_TEXT(__GXX_ABI_VERSION) SEAWALL_SANITIZER

// Fills a descriptor from a plain struct M: whatever M does not declare stays null.
template <class M>
Module describe() {
  using C = typename M::Conf;
  Module m{};
  m.size = sizeof m;
  m.build = SEAWALL_BUILD;
  m.name = M::name;
  m.summary = M::summary;
  m.number = &module_number<M>;
  m.conf.module = M::name;
  if constexpr (requires { M::directives; }) m.conf.directives = M::directives;
  m.conf.create = [] { return static_cast<void*>(new C); };
  m.conf.destroy = [](void* c) { delete static_cast<C*>(c); };
  if constexpr (requires(C& c, Settings& s, Binder& b) { M::check(c, s, b); })
    m.conf.check = [](void* c, Settings& s, Binder& b) { M::check(*static_cast<C*>(c), s, b); };
  if constexpr (requires { M::steps; }) m.steps = M::steps;
  if constexpr (requires { M::filters; }) m.filters = M::filters;
  if constexpr (requires { M::variables; }) m.variables = M::variables;
  if constexpr (requires { M::loaded_by; }) m.loaded_by = M::loaded_by;
  if constexpr (requires(Exchange& x, const C& c) { M::log(x, c); })
    m.log = [](Exchange& x, const void* c) { M::log(x, *static_cast<const C*>(c)); };
  if constexpr (requires(Gathering& out, const C& c) { M::collect(out, c); })
    m.collect = [](Gathering& out, const void* c) { M::collect(out, *static_cast<const C*>(c)); };
  if constexpr (requires { typename M::LoopState; }) {
    using L = typename M::LoopState;
    m.loop_start = [](Loop& loop, const void* c) { return static_cast<void*>(new L(loop, *static_cast<const C*>(c))); };
    m.loop_stop = [](void* s) { delete static_cast<L*>(s); };
  }
  return m;
}

// What M keeps on this loop.
template <class M>
typename M::LoopState& loop_state(Loop& loop) {
  return *static_cast<typename M::LoopState*>(loop.module_states[static_cast<std::size_t>(module_number<M>)]);
}

#define SEAWALL_MODULE(M)                                                  \
  extern "C" SEAWALL_API const seawall::Module* seawall_module() {         \
    static const seawall::Module module = seawall::describe<M>();          \
    return &module;                                                        \
  }

}  // namespace seawall
