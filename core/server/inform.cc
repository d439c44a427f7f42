#include "seawall/server/inform.h"

#include <algorithm>
#include <string>

#include "seawall/http/status.h"
#include "seawall/server/connection.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/h2_connection.h"
#include "seawall/server/h2_fields.h"
#include "seawall/server/h2_stream.h"

namespace seawall {
namespace {

bool breaks_fields(char c) { return c == '\r' || c == '\n' || c == 0; }

}  // namespace

Task<Result<void>> H1Informer::inform(Exchange& x, int status, const Headers& fields) {
  // 100 Continue is due, or being written: two cannot write at once, and that one is waited for.
  if (x.request.expects_continue || c_.stream->socket().has_waiter(Socket::writing)) co_return Result<void>();
  std::string head = "HTTP/1.1 " + std::to_string(status) + " " + std::string(reason_phrase(status)) + "\r\n";
  for (const Field& field : fields.all()) {
    std::string value(field.value);
    std::erase_if(value, breaks_fields);
    head.append(field.name).append(": ").append(value).append("\r\n");
  }
  head += "\r\n";
  Result<void> told = co_await write_all(*c_.stream, head, *x.core().send_timeout, Wait::send);
  if (!told) {  // a part of it may be out: nothing that makes sense can follow
    x.aborted = c_.abrupt = true;
    x.keep_alive = false;
  }
  co_return told;
}

Task<Result<void>> H2Informer::inform(Exchange&, int status, const Headers& headers) {
  if (s_.closed) co_return Errc::peer_closed;
  const std::string code = std::to_string(status);
  H2Fields fields;
  fields.add(":status", code);
  fields.add_all(headers);
  nghttp2_submit_headers(h_.session(), NGHTTP2_FLAG_NONE, s_.id, nullptr, fields.data(), fields.size(), nullptr);
  h_.wake_writer();
  co_return Result<void>();
}

bool passes_early_hints(Exchange& x) {
  if (!x.informer || x.parent) return false;
  const auto& conditions = *x.core().early_hints;
  return std::any_of(conditions.begin(), conditions.end(), [&x](const Template& condition) {
    const std::string value = condition.eval(x);
    return !value.empty() && value != "0";
  });
}

}  // namespace seawall
