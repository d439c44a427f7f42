// UpstreamProtocol: what a protocol module (proxy, fastcgi, uwsgi, scgi) says to an upstream server and hears from it, as text;
// core/upstream does the rest: which server, the connection, deadlines, the next one, buffering, the response's way back.
// One for a request; restart() before each attempt. One loop.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "seawall/base/buffer.h"
#include "seawall/http/body.h"
#include "seawall/http/headers.h"

namespace seawall {

// The head of an upstream's response.
class UpstreamHead {
 public:
  int status = 0;
  Headers headers;
  Ref<Owner> storage;                      // what the views in headers point into
  std::optional<std::uint64_t> length;     // of the body, when the head says it
};

// How a request differs from the client's because its response may be kept in a cache.
class ForCache {
 public:
  bool as_get = false;  // HEAD asks for the body, too
  bool whole = false;   // without Range and If-*: all of the response; but for what follows, where it is not empty
  std::string modified_since, none_match;
};
// The fields that `whole` leaves out.
constexpr bool asks_for_part(FieldId id) {
  switch (id) {
    case FieldId::if_modified_since: case FieldId::if_unmodified_since: case FieldId::if_none_match: case FieldId::if_match:
    case FieldId::range: case FieldId::if_range: return true;
    default: return false;
  }
}

class SEAWALL_API UpstreamProtocol : public Pooled {
 public:
  ForCache for_cache;  // said before write_head
  virtual ~UpstreamProtocol() = default;

  // For the log: "http://" and the URI that is asked for.
  virtual std::string_view scheme() const = 0;
  virtual const std::string& uri() const = 0;

  // Forgets what was heard in an attempt before.
  virtual void restart() = 0;
  // Appends the request up to its body, whose length is nothing when only its end will tell.
  virtual void write_head(std::string& out, std::optional<std::uint64_t> length) = 0;
  // What stands before and after the next `size` bytes of the body. Called once more at its end with 0 and `last` when the
  // last bytes were not known to be the last; never where write_head was told 0 bytes.
  virtual void frame(std::size_t size, bool last, std::string& before, std::string& after) = 0;

  // The response's head, or a 103 in front of it, taken from the front of what has come; nothing: more is needed. After an error complaint() says what is
  // wrong with it.
  virtual Result<std::optional<UpstreamHead>> read_head(Buffer& in) = 0;
  // The next bytes of the body, taken from the front; nothing: more is needed. The last piece says so.
  virtual Result<std::optional<Piece>> read_body(Buffer& in) = 0;
  // The connection has ended: is the response whole?
  virtual bool may_end_here() const = 0;
  // Once the body is over: may the connection serve another request?
  virtual bool is_reusable() const = 0;
  virtual Headers take_trailers() { return {}; }
  // Asks for what as_get says; otherwise HEAD is HEAD, and its responses are not kept.
  virtual bool can_ask_as_get() const { return false; }
  // nginx's words for the last error.
  virtual const std::string& complaint() const = 0;

  // 101: the connection is the client's now.
  virtual bool has_switched() const { return false; }
  // The value of a response's field as the client is to see it; false: as it is. For Location, Refresh and Set-Cookie.
  virtual bool rewrite(const Field&, std::string&) { return false; }
};

}  // namespace seawall
