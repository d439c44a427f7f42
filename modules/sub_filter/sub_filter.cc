// The sub_filter module: exchanges strings in responses. Settings are read by every loop.
#include "replacer.h"
#include "seawall/base/text.h"
#include "seawall/module/module.h"
#include "seawall/server/changed_body.h"
#include "seawall/server/type_list.h"

namespace seawall::sub_filter {

class Pair {
 public:
  Template what, by;
};

class Conf {
 public:
  Setting<std::vector<Pair>> pairs;
  Setting<TypeList> types{TypeList{"text/html"}};
  Setting<bool> once{true}, last_modified{false};
};

namespace {

void append_pair(std::vector<Pair>& pairs, const Invocation& in) {
  if (in.arg(0).empty()) throw ConfigError("empty search pattern");
  if (pairs.size() == 255) throw ConfigError("number of search patterns exceeds 255");
  Pair pair;
  pair.what = in.compile(in.arg(0));
  pair.by = in.compile(in.arg(1));
  pairs.push_back(std::move(pair));
}

class ReplacedBody final : public Reader {
 public:
  ReplacedBody(std::unique_ptr<Reader> body, Replacer replacer) : body_(std::move(body)), replacer_(std::move(replacer)) {}

  Task<Result<Piece>> read() override {
    for (;;) {
      Result<Piece> piece = co_await body_->read();
      // An empty piece asks for what is there to be sent; what may become a match stays all the same.
      if (!piece || replacer_.is_idle() || (piece->data.empty() && !piece->last)) co_return piece;
      std::string out;
      out.reserve(piece->data.size() + 256);
      replacer_.add(piece->data.view(), piece->last, out);
      if (!out.empty() || piece->last) co_return Piece(Slice::from(std::move(out)), piece->last);
    }
  }
  Headers trailers() override { return body_->trailers(); }

 private:
  std::unique_ptr<Reader> body_;
  Replacer replacer_;
};

Body replaced(Body body, Replacer replacer) {
  const auto* slice = std::get_if<Slice>(&body);
  if (!slice) return std::make_unique<ReplacedBody>(reader_of(std::move(body)), std::move(replacer));
  std::string out;
  replacer.add(slice->view(), true, out);
  return Slice::from(std::move(out));
}

bool active(const Conf& conf) { return !conf.pairs->empty(); }

Result<void> replace(Exchange& x, Response& response, const Conf& conf) {
  if (length_of(response.body) == 0 || std::holds_alternative<std::unique_ptr<Tunnel>>(response.body)) return {};
  if (!conf.types->has(response) || !response.headers.get(FieldId::content_encoding).empty()) return {};
  std::vector<std::string> patterns;
  std::vector<const Template*> values;
  for (const Pair& pair : *conf.pairs) {
    std::string pattern = lower(pair.what.is_literal() ? pair.what.source() : pair.what.eval(x));
    if (pattern.empty()) continue;
    patterns.push_back(std::move(pattern));
    values.push_back(&pair.by);
  }
  if (patterns.empty()) return {};
  const auto value = [&x, values = std::move(values)](std::size_t i) { return values[i]->eval(x); };
  response.body = replaced(std::move(response.body), Replacer(std::move(patterns), *conf.once, value));
  body_changes(response);
  if (!*conf.last_modified) forget_version(response);
  return {};
}

}  // namespace

class SubFilter {
 public:
  using Conf = sub_filter::Conf;
  static constexpr const char* name = "sub_filter";
  static constexpr const char* summary = "exchanges strings in responses";
  static inline const Directive directives[] = {
      list<Conf, Pair>("sub_filter", kAllHttp, 2, 2, "string replacement", &Conf::pairs, append_pair,
                       "Exchanges a string, whatever its case; both may hold variables."),
      types<Conf>("sub_filter_types", kAllHttp, &Conf::types, "In responses of which types besides text/html; * of all."),
      flag<Conf>("sub_filter_once", kAllHttp, &Conf::once, "Each string the first time only."),
      flag<Conf>("sub_filter_last_modified", kAllHttp, &Conf::last_modified, "Keeps Last-Modified, and ETag as a weak one."),
  };
  static constexpr Filter filters[] = {filter<Conf, active, replace>(FilterStage::substitute)};
};

}  // namespace seawall::sub_filter

using seawall::sub_filter::SubFilter;
SEAWALL_MODULE(SubFilter)
