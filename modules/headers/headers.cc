// The headers module: add_header, add_trailer, expires. Settings are read by every loop.
#include "added_field.h"
#include "expires.h"
#include "trailers.h"

namespace seawall::headers {

enum class Inherit : std::uint8_t { off, on, merge };

class Conf {
 public:
  using Fields = Setting<std::vector<AddedField>>;
  Setting<Inherit> header_inherit{Inherit::on}, trailer_inherit{Inherit::on};
  Fields fields, trailers;
  Setting<Expires> expires;
};

class HeadersModule {
 public:
  using Conf = headers::Conf;
  static constexpr const char* name = "headers";
  static constexpr const char* summary = "adds fields and trailers to responses";
  static const Directive directives[5];
  static const Filter filters[2];
};

namespace {

template <Conf::Fields Conf::*List>
void append(Conf& conf, const Invocation& in) {
  (conf.*List).edit().emplace_back(in);
  (conf.*List).mark_set(in.node.place);
}

// nginx 1.29.3: nothing from outside (off), all or nothing (on), or the outer fields behind one's own (merge).
template <Conf::Fields Conf::*List, Setting<Inherit> Conf::*Rule>
void inherit(Conf& conf, const Conf& outer) {
  (conf.*Rule).inherit(outer.*Rule);
  const Inherit rule = *(conf.*Rule);
  if (rule == Inherit::off) return;
  Conf::Fields& own = conf.*List;
  if (rule == Inherit::on || !own.is_set()) return own.inherit(outer.*List);
  const auto& more = *(outer.*List);
  own.edit().insert(own.edit().end(), more.begin(), more.end());
}

// A block that says nothing of this module shares its outer block's Conf; `off` there means that it gets no fields of it.
bool reaches(const Exchange& x, Inherit rule) {
  return rule != Inherit::off || x.location->settings->owns(module_number<HeadersModule>);
}

bool changes_head(const Conf& conf) { return !conf.fields->empty() || !conf.expires->is_off(); }

Result<void> change_head(Exchange& x, Response& response, const Conf& conf) {
  const bool decorated = is_decorated(response.status);
  if (decorated) conf.expires->date(x, response);
  if (!reaches(x, *conf.header_inherit)) return {};
  for (const AddedField& field : *conf.fields)
    if (decorated || field.always) add_to_head(field, x, response);
  return {};
}

bool has_trailers(const Conf& conf) { return !conf.trailers->empty(); }

Result<void> promise_trailers(Exchange& x, Response& response, const Conf& conf) {
  if (reaches(x, *conf.trailer_inherit)) add_trailers(*conf.trailers, x, response);
  return {};
}

Expires parse_expires(const Invocation& in) { return Expires(in); }

const std::vector<Choice<Inherit>> rules{{"off", Inherit::off}, {"on", Inherit::on}, {"merge", Inherit::merge}};
constexpr unsigned kEverywhere = kAllHttp | kLocationIf;

}  // namespace

const Directive HeadersModule::directives[] = {
    choice<Conf, Inherit>("add_header_inherit", kEverywhere, &Conf::header_inherit, rules,
                          "Whether a block has the fields of its outer one: not, unless it has its own, or as well."),
    choice<Conf, Inherit>("add_trailer_inherit", kEverywhere, &Conf::trailer_inherit, rules, "The same for trailers."),
    custom<Conf>("add_header", kEverywhere, 2, 3, "name value [always]", append<&Conf::fields>,
                 "A field of the response's head; with always whatever its status.",
                 inherit<&Conf::fields, &Conf::header_inherit>),
    custom<Conf>("add_trailer", kEverywhere, 2, 3, "name value [always]", append<&Conf::trailers>,
                 "A field after the response's body.", inherit<&Conf::trailers, &Conf::trailer_inherit>),
    directive<Conf, Expires>("expires", kEverywhere, 1, 2, "[modified] time | @time | epoch | max | off", &Conf::expires,
                             parse_expires, "Expires and Cache-Control.", "off"),
};

// Trailers come last: the range filter, which the core registers first in its stage, needs the body's length.
const Filter HeadersModule::filters[] = {
    filter<Conf, changes_head, change_head>(FilterStage::headers),
    filter<Conf, has_trailers, promise_trailers>(FilterStage::range),
};

}  // namespace seawall::headers

using seawall::headers::HeadersModule;
SEAWALL_MODULE(HeadersModule)
