// The compress module: gzip and its kin as nginx has them, brotli and zstd under the names of the modules in wide use.
// Settings are read by every loop.
#include <algorithm>

#include "accept.h"
#include "coded_body.h"
#include "gunzip.h"
#include "gzip_rules.h"
#include "loop_state.h"
#include "precompressed.h"
#include "seawall/base/text.h"
#include "seawall/server/changed_body.h"

namespace seawall::compress {

namespace {

// Less than some 8 MiB a second: a page of 256 KiB would hold up the loop for more than a thirtieth of a second.
bool is_slow_zstd(const Conf& conf) { return *conf.zstd_level >= kSlowZstd; }
bool is_slow_brotli(const Conf& conf) { return *conf.brotli_level >= 10; }
bool is_never_slow(const Conf&) { return false; }

}  // namespace

const std::array<Coding, kCodings> codings{{
    {"zstd", ".zst", &Conf::zstd, &Conf::zstd_types, &Conf::zstd_min_length, &Conf::zstd_static, make_zstd, is_slow_zstd},
    {"br", ".br", &Conf::brotli, &Conf::brotli_types, &Conf::brotli_min_length, &Conf::brotli_static, make_brotli, is_slow_brotli},
    {"gzip", ".gz", &Conf::gzip, &Conf::gzip_types, &Conf::gzip_min_length, &Conf::gzip_static, make_gzip, is_never_slow},
}};
const Coding& gzip_coding = codings[2];

namespace {

bool can_be_coded(const Response& response) {
  if (response.status != 200 && response.status != 403 && response.status != 404) return false;
  if (std::holds_alternative<std::unique_ptr<Tunnel>>(response.body)) return false;
  return response.headers.get(FieldId::content_encoding).empty();
}

bool applies(const Coding& coding, const Response& response, const Conf& conf) {
  if (!*(conf.*coding.on)) return false;
  const auto length = length_of(response.body);
  if (length && *length < static_cast<std::uint64_t>(*(conf.*coding.min_length))) return false;
  return (conf.*coding.types)->has(response);
}

// The one that the client likes best of those that apply; null: as it is.
const Coding* choose(Exchange& x, const Response& response, const Conf& conf) {
  const Coding* best = nullptr;
  int best_quality = 0;
  for (const Coding& coding : codings) {
    if (!applies(coding, response, conf)) continue;
    x.state<CompressModule>().varies = true;
    const int quality = quality_of(x.request.headers, coding.token);
    if (quality <= best_quality || (&coding == &gzip_coding && !allows_gzip(x, response, conf))) continue;
    best = &coding;
    best_quality = quality;
  }
  return best;
}

bool names_accept_encoding(const Headers& headers) {
  for (const Field& field : headers.all()) {
    if (field.id != FieldId::vary) continue;
    std::string_view rest = field.value;
    while (const auto element = next_list_element(rest))
      if (*element == "*" || equals_ignoring_case(*element, "Accept-Encoding")) return true;
  }
  return false;
}

bool undoes(const Conf& conf) { return *conf.gunzip; }

Result<void> undo(Exchange& x, Response& response, const Conf& conf) {
  if (!equals_ignoring_case(response.headers.get(FieldId::content_encoding), "gzip")) return {};
  if (std::holds_alternative<std::unique_ptr<Tunnel>>(response.body)) return {};
  x.state<CompressModule>().varies = true;
  // What a subrequest answers becomes a part of another body.
  if (!x.parent && quality_of(x.request.headers, "gzip") > 0 && allows_gzip(x, response, conf)) return {};
  std::unique_ptr<Reader> plain = gunzip(x, reader_of(std::move(response.body)));
  if (!plain) return Errc::exhausted;
  response.body = std::move(plain);
  response.headers.remove(FieldId::content_encoding);
  body_changes(response);
  return {};
}

// In answer to HEAD: nobody reads it, and nobody knows how long it would be.
class UnreadBody final : public Reader {
 public:
  Task<Result<Piece>> read() override { co_return Piece(Slice(), true); }
};

bool acts(const Conf& conf) {
  return *conf.gzip || *conf.brotli || *conf.zstd || *conf.gunzip || has_precompressed(conf);
}

Result<void> code(Exchange& x, Response& response, const Conf& conf) {
  const Coding* coding = can_be_coded(response) ? choose(x, response, conf) : nullptr;
  if (coding) {
    Result<bool> coded = true;
    if (x.request.method == Method::head) response.body = std::make_unique<UnreadBody>();
    else coded = code_body(x, response, *coding, conf);
    if (!coded) return coded.error();
    if (!*coded) coding = nullptr;
  }
  if (coding) {
    x.state<CompressModule>().coding = coding;
    response.headers.set("Content-Encoding", coding->token);
    body_changes(response);
  }
  if (*conf.vary && x.state<CompressModule>().varies && !names_accept_encoding(response.headers))
    response.headers.add_view("Vary", "Accept-Encoding", FieldId::vary);
  return {};
}

// Two digits, rounded: what the body's size was divided by.
template <int Number>
bool ratio(Exchange& x, std::string_view, const void*, std::string& out) {
  const State& state = x.state<CompressModule>();
  if (state.coding != &codings[Number] || state.out == 0) return false;
  const std::uint64_t hundredths = (state.in * 1000 / state.out + 5) / 10;
  out += std::to_string(hundredths / 100) + "." + std::to_string(hundredths / 10 % 10) + std::to_string(hundredths % 10);
  return true;
}

// ---- directives -------------------------------------------------------------------------------------------------------

template <std::int64_t Least, std::int64_t Most>
std::int64_t parse_level(const Invocation& in) {
  const std::int64_t level = parse_number(in);
  if (level < Least || level > Most)
    throw ConfigError("value must be between " + std::to_string(Least) + " and " + std::to_string(Most));
  return level;
}

// A power of two between two sizes, as its exponent plus `shift`.
int exponent_of(const Invocation& in, int least, int most, int shift, const char* sizes) {
  const std::int64_t size = parse_size(in);
  for (int bits = least; bits <= most; ++bits)
    if (size == std::int64_t(1) << bits) return bits + shift;
  throw ConfigError("\"" + in.node.name + "\" directive must be " + sizes);
}

int parse_window(const Invocation& in) { return exponent_of(in, 9, 15, 0, "512, 1k, 2k, 4k, 8k, 16k, or 32k"); }
int parse_hash(const Invocation& in) { return exponent_of(in, 9, 17, -8, "512, 1k, 2k, 4k, 8k, 16k, 32k, 64k, or 128k"); }
int parse_brotli_window(const Invocation& in) {
  return exponent_of(in, 10, 24, 0, "1k, 2k, 4k, 8k, 16k, 32k, 64k, 128k, 256k, 512k, 1m, 2m, 4m, 8m or 16m");
}

void accept_buffers(Conf&, const Invocation& in) {
  const auto number = parse_decimal(in.arg(0));
  const auto size = size_of(in.arg(1));
  if (!number || *number == 0 || !size || *size == 0) throw ConfigError("\"" + in.node.name + "\" directive invalid value");
}

const std::vector<Choice<Version>> versions{{"1.0", Version::http10}, {"1.1", Version::http11}};
const std::vector<Choice<Static>> statics{{"off", Static::off}, {"on", Static::on}, {"always", Static::always}};
constexpr unsigned kWithIf = kAllHttp | kLocationIf;

Directive buffers(const char* name) {
  return custom<Conf>(name, kAllHttp, 2, 2, "number size", accept_buffers, "Accepted; buffers are as large as they must be.");
}
Directive level(const char* name, Setting<std::int64_t> Conf::*field, std::int64_t (*parse)(const Invocation&),
                const char* help) {
  return directive<Conf, std::int64_t>(name, kAllHttp, 1, 1, "level", field, parse, help, text_of(*(Conf{}.*field)));
}
Directive precompressed(const char* name, Setting<Static> Conf::*field, const char* help) {
  return choice<Conf, Static>(name, kAllHttp, field, statics, help);
}

const Directive rows[] = {
    flag<Conf>("gzip", kWithIf, &Conf::gzip,
               "Compresses responses for clients that accept it. Where several codings are on and a client likes them equally "
               "well, zstd is chosen before br, br before gzip."),
    types<Conf>("gzip_types", kAllHttp, &Conf::gzip_types, "Of which types besides text/html; * of all."),
    size<Conf>("gzip_min_length", kAllHttp, &Conf::gzip_min_length, "Not when the body is known to be shorter."),
    level("gzip_comp_level", &Conf::gzip_level, parse_level<1, 9>, "1 (fast) to 9 (small)."),
    choice<Conf, Version>("gzip_http_version", kAllHttp, &Conf::http_version, versions, "The least version gzip is sent to."),
    custom<Conf>("gzip_proxied", kAllHttp, 1, kMany,
                 "off | expired | no-cache | no-store | private | no_last_modified | no_etag | auth | any ...", set_proxied,
                 "Which responses are compressed for requests that came through a proxy (Via).",
                 [](Conf& conf, const Conf& outer) { conf.proxied.inherit(outer.proxied); }, "off"),
    flag<Conf>("gzip_vary", kAllHttp, &Conf::vary,
               "Says Vary: Accept-Encoding where a coding would be possible, of whatever kind."),
    custom<Conf>("gzip_disable", kAllHttp, 1, kMany, "msie6 | regex ...", disable, "No gzip for these User-Agents.",
                 [](Conf& conf, const Conf& outer) { conf.disabled.inherit(outer.disabled); }),
    buffers("gzip_buffers"),
    directive<Conf, int>("gzip_window", kAllHttp, 1, 1, "size", &Conf::window_bits, parse_window,
                         "How far back deflate looks.", "32k"),
    directive<Conf, int>("gzip_hash", kAllHttp, 1, 1, "size", &Conf::memory_level, parse_hash,
                         "The memory deflate looks with.", "64k"),
    precompressed("gzip_static", &Conf::gzip_static, "Sends FILE.gz in place of FILE; always: to whomever."),
    flag<Conf>("gunzip", kAllHttp, &Conf::gunzip, "Unpacks gzip responses for clients that do not accept it."),
    buffers("gunzip_buffers"),

    flag<Conf>("brotli", kWithIf, &Conf::brotli, "Compresses with Brotli where a client accepts br."),
    types<Conf>("brotli_types", kAllHttp, &Conf::brotli_types, "Of which types besides text/html; * of all."),
    size<Conf>("brotli_min_length", kAllHttp, &Conf::brotli_min_length, "Not when the body is known to be shorter."),
    level("brotli_comp_level", &Conf::brotli_level, parse_level<0, 11>, "0 (fast) to 11 (small, and very slow)."),
    directive<Conf, int>("brotli_window", kAllHttp, 1, 1, "size", &Conf::brotli_window_bits, parse_brotli_window,
                         "How far back Brotli looks.", "512k"),
    buffers("brotli_buffers"),
    precompressed("brotli_static", &Conf::brotli_static, "Sends FILE.br in place of FILE; always: to whomever."),

    flag<Conf>("zstd", kWithIf, &Conf::zstd, "Compresses with Zstandard where a client accepts zstd."),
    types<Conf>("zstd_types", kAllHttp, &Conf::zstd_types, "Of which types besides text/html; * of all."),
    size<Conf>("zstd_min_length", kAllHttp, &Conf::zstd_min_length, "Not when the body is known to be shorter."),
    level("zstd_comp_level", &Conf::zstd_level, parse_level<1, 22>, "1 (fast) to 22 (small, and very slow)."),
    buffers("zstd_buffers"),
    precompressed("zstd_static", &Conf::zstd_static, "Sends FILE.zst in place of FILE; always: to whomever."),
};

}  // namespace

const std::span<const Directive> CompressModule::directives = rows;
const Step CompressModule::steps[] = {step<Conf, has_precompressed, serve_precompressed>(Phase::content)};
const Filter CompressModule::filters[] = {
    filter<Conf, undoes, undo>(FilterStage::gunzip),
    filter<Conf, acts, code>(FilterStage::compress),
};
const VariableRow CompressModule::variables[] = {
    {"zstd_ratio", ratio<0>}, {"brotli_ratio", ratio<1>}, {"gzip_ratio", ratio<2>}};

}  // namespace seawall::compress

using seawall::compress::CompressModule;
SEAWALL_MODULE(CompressModule)
