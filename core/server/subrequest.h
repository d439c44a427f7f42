// Subrequest: a request inside a request (auth_request, add_after_body, mirror): the same respond(), whose Response is read by
// who asked instead of written to the client. It has its parent's connection, server, request fields and variables (what it sets
// is set for the parent, too), a URI of its own, and no access rules. One loop.
//
//   Subrequest sub(x, "/auth");
//   std::optional<Response> response = co_await sub.run();
//   ...                              // look at the head, or read the body
//   response.reset();
//   co_await sub.end();
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "seawall/async/task.h"
#include "seawall/base/slice.h"
#include "seawall/server/exchange.h"

namespace seawall {

class SEAWALL_API Subrequest {
 public:
  // nginx's bound on subrequests inside each other.
  static constexpr int kMaxDepth = 50;

  // GET, without a body. `uri` is a path as locations match it, "@name" included. In the parent's background it goes on when the
  // parent's response is out or its client has left, has handler_timeout for itself, and keeps its variables to itself.
  enum class Life : std::uint8_t { within, background };
  Subrequest(Exchange& parent, std::string uri, std::string args = {}, Life life = Life::within);
  Subrequest(Subrequest&&) noexcept;
  ~Subrequest();  // never waits: what is still at work is ended in the parent's scope, or background

  // Before run(): the parent's method instead of GET, and a body that the parent has stored (RequestBody::store).
  void take_method();
  void give_body(const RequestBody& body);
  // Before run(): it begins with these variables instead of the parent's, and what it sets is not set for the parent.
  using Variables = std::vector<std::pair<std::string, std::string>>;
  void keep_to_itself(Variables variables);
  // Before run(), instead of the way of a new request: what answers in the parent's location is asked again, with the parent's method
  // and captures, for another part of what it has answered (slice). The response passes no filters, and has no error page.
  void repeat_content();

  // The response's head; its body is still to be read. Nothing: the location closes connections (return 444), or subrequests are
  // too deep in each other, which the log then says.
  Task<std::optional<Response>> run();
  // Ends what its handler has spawned, once its response is gone, and logs it where log_subrequest says so.
  Task<void> end();
  Exchange& exchange();

 private:
  class Work;
  static Task<void> end(std::unique_ptr<Work> work);
  std::unique_ptr<Work> work_;
};

}  // namespace seawall
