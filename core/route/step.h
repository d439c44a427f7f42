// What modules contribute to a request's way: steps by phase, filters by stage, and what a step may answer.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "seawall/async/task.h"
#include "seawall/base/result.h"
#include "seawall/http/message.h"

namespace seawall {

class Exchange;

// nginx's phases, under nginx's names, in the order run.
enum class Phase : std::uint8_t { post_read, server_rewrite, rewrite, preaccess, access, precontent, content };
inline constexpr int kPhases = 7;
SEAWALL_API const char* name_of(Phase phase);

// In the order run over the response head; each may wrap the body. What subrequests add comes behind the filters that both the
// response and they go through, each with its own settings.
enum class FilterStage : std::uint8_t {
  not_modified, script, headers, userid, gunzip, substitute, charset, ssi, addition, compress, range,
};

class Next {};      // "not mine": the next step
class Granted {};   // an access step allows, which `satisfy any` must tell from no opinion
class Relocate {    // rewrite ... last: back to location search with this URI
 public:
  explicit Relocate(std::string uri) : uri(std::move(uri)) {}
  std::string uri;
};
class Internal {    // error_page, try_files, X-Accel-Redirect, index: as a new request inside the server
 public:
  explicit Internal(std::string to, std::string args = {}) : to(std::move(to)), args(std::move(args)) {}
  std::string to;               // a URI, or @name of a named location
  std::string args;
  int status = 0;               // replaces the final response's status when not 0 (error_page =code)
  bool keep_method = true;      // false: GET (error_page for other methods)
};
class Abort {};     // close the connection (or reset the stream) without a response: return 444, exchange.abort()
using Outcome = std::variant<Next, Granted, Response, Relocate, Internal, Abort>;

// What is left of a step that has to wait: its outcome comes with that. Nothing: the step is done.
using Rest = std::optional<Task<Outcome>>;

struct Step {
  Phase phase;
  bool may_wait;
  bool (*active)(const void* conf);                           // at load: does this conf put the step into a plan?
  Rest (*begin)(Exchange&, const void* conf, Outcome& outcome);  // done: `outcome`, a Next before, is what it answers
};

// A filter sees the head once and may change it or wrap the body; an error becomes 500 (a bug or a lack of memory).
struct Filter {
  FilterStage stage;
  bool (*active)(const void* conf);
  Result<void> (*run)(Exchange&, Response&, const void* conf);
};

// A step that never waits.
template <class Conf, bool (*Active)(const Conf&), Outcome (*Run)(Exchange&, const Conf&)>
constexpr Step step(Phase phase) {
  return {phase, false, [](const void* c) { return Active(*static_cast<const Conf*>(c)); },
          [](Exchange& x, const void* c, Outcome& outcome) {
            outcome = Run(x, *static_cast<const Conf*>(c));
            return Rest();
          }};
}
// One that does.
template <class Conf, bool (*Active)(const Conf&), Task<Outcome> (*Run)(Exchange&, const Conf&)>
constexpr Step step(Phase phase) {
  return {phase, true, [](const void* c) { return Active(*static_cast<const Conf*>(c)); },
          [](Exchange& x, const void* c, Outcome&) { return Rest(Run(x, *static_cast<const Conf*>(c))); }};
}
// One that mostly need not: it makes a coroutine of its rest only when it must.
template <class Conf, bool (*Active)(const Conf&), Rest (*Run)(Exchange&, const Conf&, Outcome&)>
constexpr Step step(Phase phase) {
  return {phase, true, [](const void* c) { return Active(*static_cast<const Conf*>(c)); },
          [](Exchange& x, const void* c, Outcome& outcome) { return Run(x, *static_cast<const Conf*>(c), outcome); }};
}
template <class Conf, bool (*Active)(const Conf&), Result<void> (*Run)(Exchange&, Response&, const Conf&)>
constexpr Filter filter(FilterStage stage) {
  return {stage, [](const void* c) { return Active(*static_cast<const Conf*>(c)); },
          [](Exchange& x, Response& r, const void* c) { return Run(x, r, *static_cast<const Conf*>(c)); }};
}

}  // namespace seawall
