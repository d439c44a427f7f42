// http2 and http2_* directives.
#include "seawall/server/core_module.h"

namespace seawall {
namespace {

constexpr std::int64_t kLargestWindow = 0x7fffffff;

std::int64_t parse_streams(const Invocation& in) {
  const std::int64_t number = parse_number(in);
  if (number < 1 || number > 0x7fffffff) throw_invalid_value(in.arg(0), "http2_max_concurrent_streams");
  return number;
}

std::int64_t parse_chunk_size(const Invocation& in) {
  const std::int64_t size = parse_size(in);
  if (size == 0) throw ConfigError("the http2 chunk size cannot be zero");
  return size;
}

std::int64_t parse_preread_size(const Invocation& in) {
  const std::int64_t size = parse_size(in);
  if (size > kLargestWindow) throw ConfigError("the maximum body preread buffer size is 2147483647");
  return size;
}

void obsolete(Http2Conf&, const Invocation& in) {
  const std::string& name = in.node.name;
  const char* instead = name == "http2_recv_timeout"                                       ? "client_header_timeout"
                        : name == "http2_idle_timeout"                                     ? "keepalive_timeout"
                        : name == "http2_max_requests"                                     ? "keepalive_requests"
                        : name == "http2_max_field_size" || name == "http2_max_header_size" ? "large_client_header_buffers"
                                                                                           : nullptr;
  const std::string text = "the \"" + name + "\" directive is obsolete, ";
  if (instead) in.warn(text + "use the \"" + instead + "\" directive instead");
  else in.warn(text + "ignored");
}

Directive gone(const char* name, unsigned where) {
  return custom<Http2Conf>(name, where, 1, 1, "value", obsolete, "Obsolete in nginx, too: accepted with a warning.");
}

using C = Http2Conf;
constexpr unsigned kOuter = kHttp | kServer;
const Directive rows[] = {
    directive<C, bool>("http2", kOuter, 1, 1, "on | off", &C::on, parse_flag,
                       "HTTP/2; without it on over TLS and off on plain ports (nginx, and `compat nginx`: off).",
                       "on with ssl"),
    directive<C, std::int64_t>("http2_max_concurrent_streams", kOuter, 1, 1, "number", &C::max_concurrent_streams,
                               parse_streams, "Requests of one connection at the same time.", "128"),
    directive<C, std::int64_t>("http2_chunk_size", kAllHttp, 1, 1, "size", &C::chunk_size, parse_chunk_size,
                               "The largest DATA frame, at most 32k; nginx's default is 8k.", "16k"),
    directive<C, std::int64_t>("http2_body_preread_size", kOuter, 1, 1, "size", &C::body_preread_size, parse_preread_size,
                               "What a client may send of each body before somebody reads it.", "64k"),
    gone("http2_recv_timeout", kOuter),
    gone("http2_idle_timeout", kOuter),
    gone("http2_max_requests", kOuter),
    gone("http2_max_field_size", kOuter),
    gone("http2_max_header_size", kOuter),
    gone("http2_max_concurrent_pushes", kOuter),
    gone("http2_push", kAllHttp),
    gone("http2_push_preload", kAllHttp),
};

}  // namespace

const std::span<const Directive> Http2Module::directives = rows;

}  // namespace seawall
