// The slice module: its setting, its variable, and what makes one response of parts. Settings are read by every loop.
#include "conf.h"
#include "seawall/base/text.h"
#include "sliced_body.h"

namespace seawall::slice {
namespace {

bool active(const Conf& conf) { return *conf.size > 0; }

// Where the range that the client asks for begins; 0: it asks for none, for several, or for one that may not hold.
std::uint64_t first_byte_of(const Headers& headers) {
  std::string_view range = headers.get(FieldId::range);
  if (headers.has(FieldId::if_range) || !equals_ignoring_case(range.substr(0, 6), "bytes=") || range.find(',') != range.npos) return 0;
  range = trim(range.substr(6));
  const std::size_t dash = range.find('-');
  return parse_decimal(trim(range.substr(0, dash))).value_or(0);
}

// The part to ask for; the first one as soon as it is asked what that is.
bool slice_range(Exchange& x, std::string_view, const void*, std::string& out) {
  const Conf& conf = x.conf<SliceModule>();
  if (!active(conf)) return false;
  State& state = x.state<SliceModule>();
  const auto size = static_cast<std::uint64_t>(*conf.size);
  if (state.conf != &conf) {
    if (x.parent || x.response) return false;
    const std::uint64_t first = first_byte_of(x.request.headers);
    state.conf = &conf;
    state.start = first > INT64_MAX ? 0 : first / size * size;
  }
  out += "bytes=" + std::to_string(state.start) + "-" + std::to_string(state.start + size - 1);
  return true;
}

Result<void> join(Exchange& x, Response& response, const Conf& conf) {
  const State& state = x.state<SliceModule>();
  if (state.conf != &conf || response.status != 206) return {};
  std::string etag(response.headers.get(FieldId::etag));
  const std::optional<Part> first = judge(x, response, state.start, static_cast<std::uint64_t>(*conf.size), etag);
  if (!first || std::holds_alternative<std::unique_ptr<Tunnel>>(response.body)) return Errc::bad_request;
  response.status = 200;
  response.headers.remove(FieldId::content_range);
  response.headers.remove(FieldId::accept_ranges);
  response.accept_ranges = true;
  response.body = std::make_unique<SlicedBody>(x, conf, reader_of(std::move(response.body)), state.start, first->end, first->complete,
                                               std::move(etag));
  return {};
}

const Directive rows[] = {
    size<Conf>("slice", kAllHttp, &Conf::size, "How large the parts are that $slice_range asks for; 0: the whole is asked for."),
};

}  // namespace

const std::span<const Directive> SliceModule::directives = rows;
const Filter SliceModule::filters[] = {filter<Conf, active, join>(FilterStage::not_modified)};
const VariableRow SliceModule::variables[] = {{"slice_range", slice_range}};

}  // namespace seawall::slice

using seawall::slice::SliceModule;
SEAWALL_MODULE(SliceModule)
