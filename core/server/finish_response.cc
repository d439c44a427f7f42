#include "seawall/server/finish_response.h"

#include <utility>

#include "seawall/http/date.h"
#include "seawall/route/plan.h"
#include "seawall/server/current_exchange.h"
#include "seawall/server/error_pages.h"
#include "seawall/server/exchange.h"
#include "seawall/server/probe.h"

namespace seawall {
namespace {

// What a subrequest's response goes through: that which makes its bytes what they mean. The rest is about the response that
// the client gets. As in nginx.
bool concerns_subrequests(FilterStage stage) {
  switch (stage) {
    case FilterStage::script: case FilterStage::gunzip: case FilterStage::substitute: case FilterStage::charset:
    case FilterStage::ssi: return true;
    default: return false;
  }
}

// Runs the filters over the head that will be sent, those from `next` on, until one refuses it.
Result<void> filter(Exchange& x, Response& response, std::size_t& next) {
  set_current_exchange(x);
  x.response = &response;  // what $sent_http_* and $status mean in values of filters
  Result<void> done;
  const auto& filters = x.plan().filters;
  if (next == 0) tell_filters(x);
  while (done && next < filters.size() && !response.refused) {
    const Plan::BoundFilter& filter = filters[next++];
    if (x.parent && !concerns_subrequests(filter.stage)) continue;
    done = filter.run(x, response, filter.conf);
  }
  x.response = nullptr;
  return done;
}

std::string_view name_of(FilterStage stage) {
  static constexpr std::string_view names[] = {"not_modified", "script", "headers", "userid", "gunzip", "substitute",
                                               "charset", "ssi", "addition", "compress", "range"};
  return names[static_cast<std::size_t>(stage)];
}

// What an upstream has said about the file that it leaves to us.
void add_kept_fields(Exchange& x, Response& response) {
  for (const Field& field : x.kept_fields.all()) {
    if (field.id == FieldId::set_cookie) response.headers.add(field.name, field.value);
    else response.headers.set(field.name, field.value);
  }
  x.kept_fields.clear();
}

}  // namespace

void tell_filters(const Exchange& x) {
  if (x.parent) return;
  tell(x, [&] {
    std::string text;
    for (const Plan::BoundFilter& filter : x.plan().filters) {
      const std::string_view stage = name_of(filter.stage);
      text.append(text.empty() ? " " : ", ").append(stage);
      if (stage != filter.module) text.append(" of ").append(filter.module);
    }
    return "filters:" + text;
  });
  if (x.connection.probe && x.connection.probe->trace) x.connection.probe->trace->location = x.location;
}

std::optional<Outcome> finish_response(Exchange& x, Response& response, bool may_have_page) {
  if (is_bare(response)) add_default_page(x, response);
  else if (!x.kept_fields.empty()) add_kept_fields(x, response);
  std::size_t next = 0;
  Result<void> done = filter(x, response, next);
  while (done && std::exchange(response.refused, false)) {
    if (may_have_page)
      if (auto page = error_page_for(x, response)) return page;
    add_default_page(x, response);
    done = filter(x, response, next);
  }
  if (!done) {
    x.log(Level::error, "a filter failed: " + describe(done.error()));
    response = Response(500);
    add_default_page(x, response);
  }
  if (response.last_modified && !response.headers.has(FieldId::last_modified))
    response.headers.add("Last-Modified", http_date(*response.last_modified));
  return std::nullopt;
}

}  // namespace seawall
