#include "seawall/server/trace_context.h"

#include <openssl/rand.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "seawall/base/bytes.h"
#include "seawall/base/check.h"
#include "seawall/base/hex.h"
#include "seawall/base/text.h"

namespace seawall {
namespace {

constexpr std::size_t kVersion00 = 55;  // 00-TRACE-PARENT-FLAGS
constexpr std::size_t kMembers = 32;
constexpr unsigned kKnownFlags = 3;     // sampled; random-trace-id (Level 2) holds of the id that goes on

bool is_lower_hex(std::string_view text) {
  static constexpr ByteSet digits([](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  return digits.has_all(text);
}
bool is_id(std::string_view text) { return is_lower_hex(text) && text.find_first_not_of('0') != text.npos; }

// The one field of that name; empty where there are several, or none.
std::string_view only_field(const Headers& headers, std::string_view name) {
  std::string_view value;
  int n = 0;
  for (const Field& field : headers.all())
    if (equals_ignoring_case(field.name, name)) value = field.value, ++n;
  return n == 1 ? value : std::string_view();
}

// A later version begins like 00, and may go on behind a dash.
bool read_parent(std::string_view text, TraceContext& trace) {
  if (text.size() < kVersion00 || text[2] != '-' || text[35] != '-' || text[52] != '-') return false;
  const std::string_view version = text.substr(0, 2), flags = text.substr(53, 2);
  if (!is_lower_hex(version) || version == "ff" || !is_lower_hex(flags)) return false;
  if (text.size() > kVersion00 && (version == "00" || text[kVersion00] != '-')) return false;
  if (!is_id(text.substr(3, 32)) || !is_id(text.substr(36, 16))) return false;
  trace.trace_id = text.substr(3, 32);
  trace.parent_id = text.substr(36, 16);
  trace.flags = static_cast<unsigned>(hex_value(flags[0]) << 4 | hex_value(flags[1])) & kKnownFlags;
  return true;
}

bool is_member(std::string_view member) {
  static constexpr ByteSet key_bytes([](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || std::string_view("_-*/@").find(c) != std::string_view::npos; });
  static constexpr ByteSet value_bytes([](char c) { return c >= 0x20 && c < 0x7f && c != ',' && c != '='; });
  constexpr std::size_t kLongest = 256;
  const auto equals = member.find('=');
  if (equals == member.npos) return false;
  const std::string_view key = member.substr(0, equals), value = member.substr(equals + 1);
  const bool begins = !key.empty() && (is_digit(key[0]) || (key[0] >= 'a' && key[0] <= 'z'));
  return begins && key.size() <= kLongest && !value.empty() && value.size() <= kLongest && key_bytes.has_all(key) && value_bytes.has_all(value);
}

// All fields of that name are one list; a list with a mistake is none.
std::string state_of(const Headers& headers) {
  std::string state;
  std::vector<std::string_view> keys;
  for (const Field& field : headers.all()) {
    if (!equals_ignoring_case(field.name, "tracestate")) continue;
    std::string_view rest = field.value;
    while (const auto member = next_list_element(rest)) {
      const std::string_view key = member->substr(0, member->find('='));
      if (!is_member(*member) || keys.size() == kMembers || std::find(keys.begin(), keys.end(), key) != keys.end()) return {};
      keys.push_back(key);
      state.append(state.empty() ? "" : ",").append(*member);
    }
  }
  return state;
}

template <std::size_t N>
std::string random_id() {
  unsigned char bytes[N] = {};
  const auto is_zero = [](unsigned char byte) { return byte == 0; };
  while (std::all_of(std::begin(bytes), std::end(bytes), is_zero)) CHECK(RAND_bytes(bytes, N) == 1);
  return hex_of(bytes);
}

// As the trace's random digits say, so that whoever else decides by them decides alike.
bool is_sampled(const std::string& trace_id, std::uint64_t percent) {
  return *parse_hex(std::string_view(trace_id).substr(24)) % 100 < percent;
}

void begin(TraceContext& trace, const Exchange& x, const TraceConf::Mode& mode) {
  trace.span_id = random_id<8>();
  const Headers& headers = x.request.headers;
  if (mode.takes_clients && read_parent(only_field(headers, "traceparent"), trace)) {
    trace.state = state_of(headers);
    return;
  }
  trace.trace_id = random_id<16>();
  trace.flags = (is_sampled(trace.trace_id, mode.sampled) ? 1 : 0) | 2;
}

template <std::string TraceContext::*Part>
bool part(Exchange& x, std::string_view, const void*, std::string& out) {
  const TraceContext* const trace = trace_context(x);
  if (!trace || (trace->*Part).empty()) return false;
  out += trace->*Part;
  return true;
}

bool parent(Exchange& x, std::string_view, const void*, std::string& out) {
  const TraceContext* const trace = trace_context(x);
  if (trace) out += trace->traceparent();
  return trace;
}

bool sampled(Exchange& x, std::string_view, const void*, std::string& out) {
  const TraceContext* const trace = trace_context(x);
  if (trace) out += trace->sampled() ? '1' : '0';
  return trace;
}

TraceConf::Mode parse_mode(const Invocation& in) {
  TraceConf::Mode mode;
  const std::string& word = in.arg(0);
  if (word != "on" && word != "off" && word != "new") throw_invalid_value(word, "trace_context");
  mode.on = word != "off";
  mode.takes_clients = word != "new";
  if (in.args().size() == 1) return mode;
  const std::string_view share = in.arg(1);
  const bool has_form = share.starts_with("sampled=") && share.ends_with('%');
  const auto percent = has_form ? parse_decimal(share.substr(8, share.size() - 9)) : std::nullopt;
  if (!percent || *percent > 100) throw ConfigError("invalid parameter \"" + in.arg(1) + "\"");
  mode.sampled = *percent;
  return mode;
}

const Directive rows[] = {
    directive<TraceConf, TraceConf::Mode>("trace_context", kAllHttp, 1, 2, "on | new | off [sampled=N%]", &TraceConf::mode, parse_mode,
                                          "Passes W3C trace context on to upstreams, as a span of the client's trace; new: of one that "
                                          "begins here, whatever the client says (ours).", "off"),
};

// Changeable: a configuration of nginx may have made maps of these names.
constexpr VariableRow ours(const char* variable, GetVariable get) { return {variable, get, false, nullptr, true}; }
constexpr VariableRow variable_rows[] = {
    ours("trace_id", part<&TraceContext::trace_id>), ours("trace_parent_id", part<&TraceContext::parent_id>),
    ours("trace_sampled", sampled),                  ours("trace_span_id", part<&TraceContext::span_id>),
    ours("trace_state", part<&TraceContext::state>), ours("traceparent", parent),
};

}  // namespace

const std::span<const Directive> TraceModule::directives = rows;
const std::span<const VariableRow> TraceModule::variables = variable_rows;

std::string TraceContext::traceparent() const { return "00-" + trace_id + "-" + span_id + "-0" + static_cast<char>('0' + flags); }

const TraceContext* trace_context(Exchange& x) {
  const TraceConf::Mode& mode = *x.conf<TraceModule>().mode;
  if (!mode.on) return nullptr;
  TraceContext& trace = x.main().state<TraceModule>();
  if (trace.trace_id.empty()) begin(trace, x.main(), mode);
  return &trace;
}

}  // namespace seawall
