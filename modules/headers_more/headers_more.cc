// The headers_more module: fields of requests and responses, set and removed. Settings are read by every loop.
#include "rule.h"
#include "seawall/http/date.h"

namespace seawall::headers_more {

class Conf {
 public:
  Setting<std::vector<Rule>> of_response, of_request;
};

namespace {

template <Setting<std::vector<Rule>> Conf::*List, Rule::Kind Kind, Rule::Of Of>
void append(Conf& conf, const Invocation& in) {
  (conf.*List).edit().emplace_back(in, Kind, Of);
  (conf.*List).mark_set(in.node.place);
}

// The outer block's rules first, then one's own.
template <Setting<std::vector<Rule>> Conf::*List>
void inherit(Conf& conf, const Conf& outer) {
  if (!(conf.*List).is_set()) return (conf.*List).inherit(outer.*List);
  const auto& more = *(outer.*List);
  auto& own = (conf.*List).edit();
  own.insert(own.begin(), more.begin(), more.end());
}

// Each list has two directives; the second row inherits nothing, so that it is not done twice.
void inherit_nothing(Conf&, const Conf&) {}

bool changes_response(const Conf& conf) { return !conf.of_response->empty(); }

Result<void> change_response(Exchange& x, Response& response, const Conf& conf) {
  Headers& headers = response.headers;
  if (response.last_modified && !headers.has(FieldId::last_modified))
    headers.add("Last-Modified", http_date(*response.last_modified));
  for (const Rule& rule : *conf.of_response)
    if (rule.applies(headers.get(FieldId::content_type), response.status)) rule.apply(x, headers);
  response.last_modified = parse_http_date(headers.get(FieldId::last_modified));
  return {};
}

bool changes_request(const Conf& conf) { return !conf.of_request->empty(); }

Outcome change_request(Exchange& x, const Conf& conf) {
  Headers& headers = x.request.headers;
  for (const Rule& rule : *conf.of_request)
    if (rule.applies(headers.get(FieldId::content_type), 0)) rule.apply(x, headers);
  return Next{};
}

constexpr unsigned kWithIf = kAllHttp | kLocationIf;

}  // namespace

class HeadersMore {
 public:
  using Conf = headers_more::Conf;
  static constexpr const char* name = "headers_more";
  static constexpr const char* summary = "sets and removes fields of requests and responses";
  static inline const Directive directives[] = {
      custom<Conf>("more_set_headers", kWithIf, 1, kMany, "[-t types] [-s statuses] [-a] 'name: value' ...",
                   append<&Conf::of_response, Rule::Kind::set, Rule::Of::response>,
                   "Fields of the response, in place of those it has (-a: beside them); without a value they are removed.",
                   inherit<&Conf::of_response>),
      custom<Conf>("more_clear_headers", kWithIf, 1, kMany, "[-t types] [-s statuses] name ...",
                   append<&Conf::of_response, Rule::Kind::clear, Rule::Of::response>,
                   "Removes fields of the response; a final * takes every name that begins so.", inherit_nothing),
      custom<Conf>("more_set_input_headers", kWithIf, 1, kMany, "[-t types] [-r] 'name: value' ...",
                   append<&Conf::of_request, Rule::Kind::set, Rule::Of::request>,
                   "Fields of the request (-r: only those it has).", inherit<&Conf::of_request>),
      custom<Conf>("more_clear_input_headers", kWithIf, 1, kMany, "[-t types] name ...",
                   append<&Conf::of_request, Rule::Kind::clear, Rule::Of::request>,
                   "Removes fields of the request.", inherit_nothing),
  };
  static constexpr Step steps[] = {step<Conf, changes_request, change_request>(Phase::rewrite)};
  static constexpr Filter filters[] = {filter<Conf, changes_response, change_response>(FilterStage::script)};
};

}  // namespace seawall::headers_more

using seawall::headers_more::HeadersMore;
SEAWALL_MODULE(HeadersMore)
