// Request head and response. They have constructors, not aggregate braces: GCC 12 destroys brace-built aggregates twice
// around co_await. One loop.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "seawall/base/buffer.h"
#include "seawall/http/body.h"
#include "seawall/http/headers.h"
#include "seawall/http/status.h"

namespace seawall {

enum class Method : std::uint8_t {
  other, get, head, post, put, delete_, connect, options, trace, patch, mkcol, copy, move, propfind, proppatch, lock,
  unlock, purge, query,
};
SEAWALL_API Method method_of(std::string_view name);  // case matters, RFC 9110 9.1

// Of a response with this status to such a request: HEAD asks for the head alone.
constexpr bool carries_body(Method asked, int status) { return asked != Method::head && may_have_body(status); }

enum class Version : std::uint8_t { http10, http11, http2 };

// A parsed request head. The views point into `storage`, which the head keeps alive.
class RequestHead {
 public:
  RequestHead() = default;
  RequestHead(RequestHead&&) = default;
  RequestHead& operator=(RequestHead&&) = default;

  Method method = Method::other;
  Version version = Version::http11;
  std::string_view method_name;
  std::string_view request_line;  // as sent, without its line end
  std::string_view target;        // as sent: origin-form, absolute-form, authority-form or *
  std::string_view raw_path;      // the target's path as sent, escapes and all; "/" for an absolute-form without one
  std::string_view args;          // after the first '?', without it
  bool has_args = false;          // "/a?" has, "/a" has not
  std::string_view authority;     // host[:port] that names the server: the absolute-form's, else Host's; validated
  std::string_view host;          // authority without the port, in lower case, without a final dot
  std::string path;               // decoded and normalised (. .. //): what locations match, nginx's $uri
  Headers headers;
  std::optional<std::uint64_t> content_length;
  bool chunked = false;           // HTTP/1 Transfer-Encoding: chunked is the only coding accepted
  bool keep_alive = true;         // what the version and Connection ask for
  std::string_view tunnel;        // "websocket": an HTTP/2 CONNECT for it (RFC 8441), said here as HTTP/1.1 would; a tunnel is 200
  bool expects_continue = false;  // Expect: 100-continue of an HTTP/1.1 client
  std::size_t size = 0;           // bytes of the head on the wire, for $request_length
  Ref<Block> storage;
};

class SEAWALL_API Response {
 public:
  explicit Response(int status, Body body = {}) : status(status), body(std::move(body)) {}
  int status;
  Headers headers;  // without Server, Date, Content-Length, Transfer-Encoding and Connection: the writer knows those
  Body body;
  bool close = false;            // ends the connection after this response
  bool accept_ranges = false;    // the body may be cut into ranges by the range filter
  bool conditions_met = false;   // If-* of the request were judged by whom it was passed to
  bool refused = false;          // a filter has put an error with this status in its place: error_page is asked
  std::optional<std::int64_t> last_modified;  // seconds since 1970; the writer and the not_modified filter use it
  Ref<Owner> pinned;             // what views among the headers point into, where that can go away (a cached file)
};

}  // namespace seawall
