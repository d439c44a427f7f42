// What a loop's connections, requests and coroutines are at, for those who look (modules/profile's tasks): a picture of one moment,
// which refers to nothing that is alive. Made on the loop's thread.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "seawall/async/deadline.h"
#include "seawall/async/look.h"
#include "seawall/base/export.h"
#include "seawall/server/loop_counts.h"

namespace seawall {

// Times are nanoseconds of the loop's clock; 0: not known. `until` is kNever where the end is not known before.
class WaitingTask {
 public:
  Waiter::Kind kind;
  std::optional<Deadline> deadline;  // nothing: of others, whose end it waits for
  bool is_over;                      // what it has waited for has happened
  std::vector<std::uintptr_t> functions;  // of its asynchronous stack, the innermost first
};

class OpenRequest {
 public:
  std::string line;      // as the client has sent it
  std::string host;
  std::string location;  // with its place in the configuration
  std::string upstream;  // whom it has been passed to; empty: nobody
  Wait phase = Wait::handler;
  std::int64_t since = 0, until = Deadline::kNever;
  int stream = 0;        // of HTTP/2
  std::vector<WaitingTask> tasks;
};

class OpenConnection {
 public:
  std::uint64_t number = 0;
  std::string client, server, protocol;
  ConnState state{};
  std::int64_t since = 0;
  std::vector<OpenRequest> requests;
  std::vector<WaitingTask> tasks;  // of no request
};

class LoopTasks {
 public:
  std::int64_t now = 0;
  std::vector<OpenConnection> connections;  // those that are idle come last
  std::vector<WaitingTask> others;          // of no connection
  std::size_t connections_left_out = 0, requests_left_out = 0, tasks_left_out = 0;
};

// At most so many connections, requests, and waiting coroutines; the others are counted, and of the coroutines only ten times so many
// looked at: what is left of the time that the loop stands still goes with the number of connections.
SEAWALL_API LoopTasks look_at_tasks(std::size_t most);

}  // namespace seawall
