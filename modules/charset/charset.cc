// The charset module: says in which charset a response is, and puts it into another. Settings are read by every loop.
#include <algorithm>
#include <memory>

#include "charset_map.h"
#include "recoder.h"
#include "seawall/base/text.h"
#include "seawall/module/module.h"
#include "seawall/server/changed_body.h"
#include "seawall/server/told_charset.h"
#include "seawall/server/type_list.h"

namespace seawall::charset {

// The value of `charset` and `source_charset`.
class Name {
 public:
  Template name;
  bool off = true;
};

using Maps = std::vector<std::shared_ptr<const CharsetMap>>;

class Conf {
 public:
  Setting<Name> charset, source;
  Setting<bool> override{false};
  Setting<TypeList> types{
      TypeList{"text/html", "text/xml", "text/plain", "text/vnd.wap.wml", "application/javascript", "application/rss+xml"}};
  Setting<Maps> maps;
};

namespace {

Name parse_name(const Invocation& in) {
  Name name;
  name.off = in.arg(0) == "off";
  if (!name.off) name.name = in.compile(in.arg(0));
  return name;
}

void append_map(Conf& conf, const Invocation& in) {
  auto map = std::make_shared<const CharsetMap>(in);
  for (const auto& other : *conf.maps)
    if (equals_ignoring_case(other->from, map->from) && equals_ignoring_case(other->to, map->to))
      throw ConfigError("duplicate \"charset_map\" between \"" + map->from + "\" and \"" + map->to + "\"");
  conf.maps.edit().push_back(std::move(map));
  conf.maps.mark_set(in.node.place);
}

std::optional<Recoder> recoder_between(const Maps& maps, std::string_view from, std::string_view to) {
  for (const auto& map : maps) {
    if (equals_ignoring_case(map->from, from) && equals_ignoring_case(map->to, to)) return Recoder(*map, Recoder::Way::forth);
    if (equals_ignoring_case(map->from, to) && equals_ignoring_case(map->to, from)) return Recoder(*map, Recoder::Way::back);
  }
  return std::nullopt;
}

std::string no_map(std::string_view from, std::string_view to) {
  return "no \"charset_map\" between the charsets \"" + std::string(from) + "\" and \"" + std::string(to) + "\"";
}

class RecodedBody final : public Reader {
 public:
  RecodedBody(std::unique_ptr<Reader> body, Recoder recoder) : body_(std::move(body)), recoder_(std::move(recoder)) {}

  Task<Result<Piece>> read() override {
    Result<Piece> piece = co_await body_->read();
    if (!piece) co_return piece;
    std::string out;
    out.reserve(piece->data.size());
    recoder_.add(piece->data.view(), piece->last, out);
    co_return Piece(Slice::from(std::move(out)), piece->last);
  }
  std::optional<std::uint64_t> length() const override {
    if (recoder_.keeps_length()) return body_->length();
    return std::nullopt;
  }
  Headers trailers() override { return body_->trailers(); }

 private:
  std::unique_ptr<Reader> body_;
  Recoder recoder_;
};

Body recoded(Body body, Recoder recoder) {
  const auto* slice = std::get_if<Slice>(&body);
  if (!slice) return std::make_unique<RecodedBody>(reader_of(std::move(body)), std::move(recoder));
  std::string out;
  recoder.add(slice->view(), true, out);
  return Slice::from(std::move(out));
}

// A Content-Type taken apart.
class ContentType {
 public:
  explicit ContentType(std::string_view field) : type(trim(field.substr(0, field.find(';')))) {
    while (field.find(';') != std::string_view::npos) {
      field.remove_prefix(field.find(';') + 1);
      const std::string_view parameter = trim(field.substr(0, field.find(';')));
      has_parameters |= !parameter.empty();
      if (parameter.size() <= 8 || !equals_ignoring_case(parameter.substr(0, 8), "charset=")) continue;
      charset = parameter.substr(8);
      const bool quoted = charset.size() >= 2 && charset.starts_with('"') && charset.ends_with('"');
      if (quoted) charset = charset.substr(1, charset.size() - 2);
    }
  }
  std::string_view type, charset;  // charset: empty when it is not told
  bool has_parameters = false;
};

// Browsers of old took the charset of a redirect for that of the page it leads to.
bool may_tell(const Response& response) { return response.status != 301 && response.status != 302; }

bool active(const Conf& conf) { return !conf.charset->off || !conf.source->off || !conf.maps->empty(); }

bool is_known(std::string_view name, const Conf& conf) {
  const auto is = [&](const Name& other) { return !other.off && other.name.is_literal() && equals_ignoring_case(other.name.source(), name); };
  return is(*conf.charset) || is(*conf.source) || std::any_of(conf.maps->begin(), conf.maps->end(), [&](const auto& map) {
           return equals_ignoring_case(map->from, name) || equals_ignoring_case(map->to, name);
         });
}

// Empty: the charset stays as it is. What a subrequest answers becomes a part of the main request's response.
std::string wanted_by(Exchange& x, const Response& response, const ContentType& is, const Conf& conf) {
  if (x.parent) {
    const Response* whole = x.main().response;
    return whole ? std::string(ContentType(whole->headers.get(FieldId::content_type)).charset) : std::string();
  }
  if (const std::string& told = told_charset(x); !told.empty()) {
    if (is_known(told, conf)) return told;
    x.log(Level::error, "unknown charset \"" + told + "\" to override");
    return {};
  }
  if (conf.charset->off || (is.charset.empty() ? is.has_parameters || !conf.types->has(response) : !*conf.override)) return {};
  return conf.charset->name.eval(x);
}

Result<void> set_charset(Exchange& x, Response& response, const Conf& conf) {
  const ContentType is(response.headers.get(FieldId::content_type));
  if (is.type.empty() || std::holds_alternative<std::unique_ptr<Tunnel>>(response.body)) return {};
  const std::string wanted = wanted_by(x, response, is, conf);
  if (wanted.empty()) return {};
  std::string source(is.charset);
  if (source.empty() && !conf.source->off) source = conf.source->name.eval(x);
  if (!source.empty() && !equals_ignoring_case(source, wanted)) {
    if (!response.headers.get(FieldId::content_encoding).empty()) return {};
    std::optional<Recoder> recoder = recoder_between(*conf.maps, source, wanted);
    if (!recoder) {
      x.log(Level::error, no_map(source, wanted));
      return {};
    }
    const bool ranges = response.accept_ranges && recoder->keeps_length();  // a byte for each byte: it can be cut as before
    response.body = recoded(std::move(response.body), std::move(*recoder));
    body_changes(response);
    response.accept_ranges = ranges;
  }
  response.headers.set("Content-Type", std::string(is.type) + (may_tell(response) ? "; charset=" + wanted : ""));
  return {};
}

constexpr unsigned kWithIf = kAllHttp | kLocationIf;

}  // namespace

class Charset {
 public:
  using Conf = charset::Conf;
  static constexpr const char* name = "charset";
  static constexpr const char* summary = "the charset of a response";
  static inline const Directive directives[] = {
      directive<Conf, Name>("charset", kWithIf, 1, 1, "charset | off", &Conf::charset, parse_name,
                            "The charset that Content-Type tells.", "off"),
      directive<Conf, Name>("source_charset", kWithIf, 1, 1, "charset | off", &Conf::source, parse_name,
                            "The charset the response is in; where it is another, a charset_map puts it into `charset`.",
                            "off"),
      flag<Conf>("override_charset", kWithIf, &Conf::override, "Does so, too, where Content-Type tells a charset already."),
      types<Conf>("charset_types", kAllHttp, &Conf::types, "For responses of which types; * of all."),
      block<Conf>("charset_map", kHttp, 2, 2, append_map,
                  "FROM TO { BYTE BYTES; ... }: how one charset becomes another, and back.",
                  [](Conf& conf, const Conf& outer) { conf.maps.inherit(outer.maps); }),
  };
  static constexpr Filter filters[] = {filter<Conf, active, set_charset>(FilterStage::charset)};
  static void check(Conf& conf, Settings&, Binder&) {
    if (conf.charset->off || conf.source->off || !conf.charset->name.is_literal() || !conf.source->name.is_literal()) return;
    const std::string& from = conf.source->name.source();
    const std::string& to = conf.charset->name.source();
    if (!equals_ignoring_case(from, to) && !recoder_between(*conf.maps, from, to)) throw ConfigError(no_map(from, to));
  }
};

}  // namespace seawall::charset

using seawall::charset::Charset;
SEAWALL_MODULE(Charset)
