#include "gzip_rules.h"

#include <algorithm>
#include <ctime>

#include "seawall/base/text.h"
#include "seawall/http/date.h"
#include "seawall/server/old_browsers.h"

namespace seawall::compress {
namespace {

bool says(const Headers& headers, std::string_view directive) {
  for (const Field& field : headers.all()) {
    if (field.id != FieldId::cache_control) continue;
    std::string_view rest = field.value;
    while (const auto element = next_list_element(rest))
      if (equals_ignoring_case(trim(element->substr(0, element->find('='))), directive)) return true;
  }
  return false;
}

bool is_expired(const Headers& headers) {
  const auto expires = parse_http_date(headers.get(FieldId::expires));
  const Field* field = headers.find(FieldId::date);
  const auto date = field ? parse_http_date(field->value) : std::optional<std::int64_t>(std::time(nullptr));
  return expires && date && *expires < *date;
}

// A request that came through a proxy: only where nobody keeps the response for clients that cannot read it.
bool allows_proxy(const Exchange& x, const Response& response, unsigned rules) {
  if (rules == 0 || (rules & kOff)) return false;
  if (rules & kAny) return true;
  if ((rules & kAuth) && x.request.headers.has(FieldId::authorization)) return true;
  const Headers& headers = response.headers;
  if (headers.has(FieldId::expires)) return (rules & kExpired) && is_expired(headers);
  if (headers.has(FieldId::cache_control))
    return ((rules & kNoCache) && says(headers, "no-cache")) || ((rules & kNoStore) && says(headers, "no-store")) ||
           ((rules & kPrivate) && says(headers, "private"));
  if ((rules & kNoLastModified) && (response.last_modified || headers.has(FieldId::last_modified))) return false;
  return !((rules & kNoEtag) && headers.has(FieldId::etag));
}

bool is_disabled(const Disabled& disabled, std::string_view agent) {
  if (disabled.msie6 && is_msie6(agent)) return true;
  return std::any_of(disabled.agents.begin(), disabled.agents.end(),
                     [&](const auto& regex) { return regex->match(agent) != Regex::Outcome::no_match; });
}

constexpr Choice<unsigned> proxied_words[] = {
    {"off", kOff}, {"expired", kExpired}, {"no-cache", kNoCache}, {"no-store", kNoStore}, {"private", kPrivate},
    {"no_last_modified", kNoLastModified}, {"no_etag", kNoEtag}, {"auth", kAuth}, {"any", kAny}};

}  // namespace

void disable(Conf& conf, const Invocation& in) {
  Disabled& disabled = conf.disabled.edit();
  for (const std::string& word : in.args()) {
    if (word == "msie6") disabled.msie6 = true;
    else disabled.agents.push_back(Regex::compile(word, true));
  }
  conf.disabled.mark_set(in.node.place);
}

void set_proxied(Conf& conf, const Invocation& in) {
  unsigned rules = conf.proxied.is_set() ? *conf.proxied : 0;
  for (const std::string& word : in.args()) {
    const auto* found =
        std::find_if(std::begin(proxied_words), std::end(proxied_words), [&](auto& w) { return word == w.word; });
    if (found == std::end(proxied_words)) throw ConfigError("invalid value \"" + word + "\"");
    if (rules & found->value) in.warn("duplicate value \"" + word + "\"");
    rules |= found->value;
  }
  conf.proxied.set(rules, in.node.place);
}

bool allows_gzip(const Exchange& x, const Response& response, const Conf& conf) {
  if (x.request.version < *conf.http_version) return false;
  if (x.request.headers.has(FieldId::via) && !allows_proxy(x, response, *conf.proxied)) return false;
  const Field* agent = x.request.headers.find(FieldId::user_agent);
  return !agent || !is_disabled(*conf.disabled, agent->value);
}

}  // namespace seawall::compress
