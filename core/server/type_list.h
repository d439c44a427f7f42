// The MIME types of the responses that a filter works on: gzip_types and its like. Made at start-up, read by every loop.
//
//   Setting<TypeList> types{TypeList{"text/html"}};
//   types("gzip_types", kAllHttp, &Conf::types, "...")     // its row
//   if (!conf.types->has(response)) return {};
#pragma once
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "seawall/config/directive.h"

namespace seawall {

class Response;

class SEAWALL_API TypeList {
 public:
  // What it holds when nothing is written. The first of them stays when something is, as in nginx.
  TypeList(std::initializer_list<const char*> otherwise);
  // Adds a directive's words, "*" for every type; one that is there already is warned about.
  void add(const Invocation& in);

  // By its Content-Type without parameters; a response without one is of none of the types, but "*" takes it, too.
  bool has(const Response& response) const;
  std::string text() const;

 private:
  std::vector<std::string> types_;  // lower case
  bool any_ = false, written_ = false;
};

template <class C>
Directive types(const char* name, unsigned where, Setting<TypeList> C::*field, const char* help) {
  Directive d{name, where, 1, kMany, false, "mime-type ...", (C{}.*field)->text(), help, {}, {}};
  d.apply = [=](void* conf, const Invocation& in) {
    auto& setting = static_cast<C*>(conf)->*field;
    setting.edit().add(in);
    setting.mark_set(in.node.place);
  };
  d.inherit = [=](void* conf, const void* outer) {
    (static_cast<C*>(conf)->*field).inherit(static_cast<const C*>(outer)->*field);
  };
  return d;
}

}  // namespace seawall
