#include "seawall/upstream/params.h"

#include <algorithm>

#include "seawall/base/text.h"
#include "seawall/server/exchange.h"
#include "seawall/server/trace_context.h"

namespace seawall {
namespace {

const std::string kTraceParent = "HTTP_TRACEPARENT", kTraceState = "HTTP_TRACESTATE";

void write_param_name(std::string_view field, std::string& name) {
  constexpr std::string_view kFront = "HTTP_";
  name.resize(kFront.size() + field.size());
  char* at = std::copy(kFront.begin(), kFront.end(), name.data());
  for (const char c : field) *at++ = c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
}

}  // namespace

void append_param(std::vector<Param>& params, const Invocation& in) {
  Param& param = params.emplace_back();
  param.name = in.arg(0);
  param.value = in.compile(in.arg(1));
  if (in.args().size() < 3) return;
  if (in.arg(2) != "if_not_empty") throw ConfigError("invalid parameter \"" + in.arg(2) + "\"");
  param.if_not_empty = true;
}

Params::Params(std::vector<Param> params, Template host) : params_(std::move(params)) {
  const auto is_host = [](const Param& param) { return param.name == "HTTP_HOST"; };
  if (std::none_of(params_.begin(), params_.end(), is_host)) {
    Param& param = params_.emplace_back();
    param.name = "HTTP_HOST";
    param.value = std::move(host);
  }
  for (const Param& param : params_)
    if (param.name.starts_with("HTTP_")) names_.insert(param.name);
}

void Params::each(Exchange& x, bool passes_client, const Take& take, const ForCache& for_cache) const {
  std::string value;
  for (const Param& param : params_) {
    value.clear();
    param.value.append(x, value);
    if (!value.empty() || !param.if_not_empty) take(param.name, value);
  }
  if (const TraceContext* const trace = trace_context(x)) {
    if (!names_.contains(kTraceParent)) take(kTraceParent, trace->traceparent());
    if (!names_.contains(kTraceState) && !trace->state.empty()) take(kTraceState, trace->state);
  }
  if (passes_client) each_field(x, for_cache.whole, take);
  if (!for_cache.modified_since.empty() && !names_.contains("HTTP_IF_MODIFIED_SINCE"))
    take("HTTP_IF_MODIFIED_SINCE", for_cache.modified_since);
  if (!for_cache.none_match.empty() && !names_.contains("HTTP_IF_NONE_MATCH")) take("HTTP_IF_NONE_MATCH", for_cache.none_match);
}

void Params::each_field(Exchange& x, bool whole, const Take& take) const {
  const bool traced = trace_context(x);
  const auto fields = x.request.headers.all();
  std::vector<char, PoolAllocator<char>> done(fields.size());
  std::string name, value;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    write_param_name(fields[i].name, name);
    if (whole && asks_for_part(fields[i].id)) continue;
    if (done[i] || name == "HTTP_PROXY" || names_.contains(name)) continue;
    if (traced && (name == kTraceParent || name == kTraceState)) continue;
    value = fields[i].value;
    for (std::size_t j = i + 1; j < fields.size(); ++j) {
      if (done[j] || !equals_ignoring_case(fields[i].name, fields[j].name)) continue;
      value.append(fields[i].id == FieldId::cookie ? "; " : ", ").append(fields[j].value);
      done[j] = true;
    }
    take(name, value);
  }
}

}  // namespace seawall
