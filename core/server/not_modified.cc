#include "seawall/server/not_modified.h"

#include <algorithm>

#include "seawall/http/date.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/exchange.h"

namespace seawall {
namespace {

std::string_view without_weak(std::string_view etag) { return etag.starts_with("W/") ? etag.substr(2) : etag; }

// The next element of the list: a tag in quotes, whatever they hold, or a bare word as some clients send.
std::string_view next_etag(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t,"), rest.size()));
  std::size_t quote = rest.starts_with("W/") ? 2 : 0;
  std::size_t end = 0;
  if (quote < rest.size() && rest[quote] == '"') end = std::min(rest.find('"', quote + 1), rest.size() - 1) + 1;
  end = std::min(rest.find(',', end), rest.size());
  std::string_view element = rest.substr(0, end);
  rest.remove_prefix(end);
  while (element.ends_with(' ') || element.ends_with('\t')) element.remove_suffix(1);
  return element;
}

bool matches(const Field& list, const Response& response, bool weak) {
  if (list.value == "*") return true;
  const Field* etag = response.headers.find(FieldId::etag);
  return etag && list_has_etag(list.value, etag->value, weak);
}

// A date nobody can read is older than everything.
std::int64_t date_of(const Field& field) { return parse_http_date(field.value).value_or(-1); }

bool is_unmodified(const Field& since, const Response& response) {
  return response.last_modified && date_of(since) >= *response.last_modified;
}

bool is_modified(const Field& since, const Response& response, IfModifiedSince rule) {
  if (!response.last_modified || rule == IfModifiedSince::off) return true;
  const std::int64_t date = date_of(since);
  if (date == *response.last_modified) return false;
  return rule == IfModifiedSince::exact || date < *response.last_modified;
}

void become_not_modified(Response& response) {
  response.status = 304;
  response.body = Body();
  response.accept_ranges = false;
  response.headers.remove(FieldId::content_type);
  response.headers.remove(FieldId::content_encoding);
}

// Nothing of what was asked for may show: a head of its own.
void become_failed(Response& response) {
  Response failed(412);
  failed.refused = true;
  failed.close = response.close;
  response = std::move(failed);
}

}  // namespace

bool list_has_etag(std::string_view list, std::string_view etag, bool weak) {
  if (weak) etag = without_weak(etag);
  for (;;) {
    std::string_view element = next_etag(list);
    if (element.empty()) return false;
    if (weak) element = without_weak(element);
    if (element == etag) return true;
  }
}

Result<void> filter_not_modified(Exchange& x, Response& response, const CoreConf& core) {
  if (response.status != 200 || response.conditions_met) return {};
  const Headers& request = x.request.headers;
  const Field* unmodified_since = request.find(FieldId::if_unmodified_since);
  const Field* match = request.find(FieldId::if_match);
  if ((unmodified_since && !is_unmodified(*unmodified_since, response)) || (match && !matches(*match, response, false))) {
    become_failed(response);
    return {};
  }
  const Field* modified_since = request.find(FieldId::if_modified_since);
  const Field* none_match = request.find(FieldId::if_none_match);
  if (!modified_since && !none_match) return {};
  if (modified_since && is_modified(*modified_since, response, *core.if_modified_since)) return {};
  if (none_match && !matches(*none_match, response, true)) return {};
  become_not_modified(response);
  return {};
}

}  // namespace seawall
