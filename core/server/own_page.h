// OwnPage: where a page of the server itself is (stub_status, metrics, status): a directive of a server or location that is not
// inherited by the locations within, and answers GET and HEAD. A member of a module's Conf:
//
//   own_page<Conf>("metrics", "Answers with all counts."),                 // among the directives
//   if (!conf.page.is_here(x)) return Next{};                              // in the step of Phase::content
//   if (!reads(x)) return Response(405);
#pragma once
#include "seawall/config/directive.h"
#include "seawall/route/location.h"
#include "seawall/server/exchange.h"

namespace seawall {

class OwnPage {
 public:
  bool is_of(const Settings& block) const { return block_ == &block; }
  void set(const Settings& block) { block_ = &block; }
  // Location::holds asks for the block that says it, so the locations within know of it and still do not show it.
  void inherit(const OwnPage& outer) {
    if (!block_) block_ = outer.block_;
  }
  bool is_set() const { return block_; }
  bool is_here(const Exchange& x) const { return x.location->holds(block_); }

 private:
  const Settings* block_ = nullptr;
};

// The directive's row. nginx's own may stand twice in a block, and has an argument that means nothing.
enum class OwnPageOf { us, nginx };
template <class Conf>
Directive own_page(const char* name, const char* help, OwnPageOf whose = OwnPageOf::us) {
  Directive row = custom<Conf>(name, kServer | kLocation, 0, whose == OwnPageOf::nginx ? 1 : 0, "", nullptr, help,
                               [](Conf& conf, const Conf& outer) { conf.page.inherit(outer.page); });
  row.apply = [name, whose](void* conf, const Invocation& in) {
    OwnPage& page = static_cast<Conf*>(conf)->page;
    if (whose == OwnPageOf::us && page.is_of(in.settings)) throw_duplicate(name);
    page.set(in.settings);
  };
  return row;
}

template <class Conf>
bool has_own_page(const Conf& conf) {
  return conf.page.is_set();
}

inline bool reads(const Exchange& x) { return x.method == Method::get || x.method == Method::head; }

}  // namespace seawall
