// What modules contribute to a request's way: steps by phase, filters by stage, and what a step may answer.
#pragma once
#include <coroutine>
#include <cstdint>
#include <string>
#include <utility>
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

// What is left of a step that has to wait. Awaited, it puts the outcome where begin() was told to. Nothing: the step is done.
class Rest {
 public:
  Rest() = default;
  Rest(Task<Outcome> task, Outcome& outcome) : task_(std::in_place_index<1>, std::move(task)), outcome_(&outcome) {}
  explicit Rest(Task<void> task) : task_(std::in_place_index<2>, std::move(task)) {}  // puts it there itself
  Rest(Rest&&) = default;
  explicit operator bool() const { return task_.index() > 0; }

  auto operator co_await() { return Awaiter(*this); }

 private:
  class Awaiter {
   public:
    explicit Awaiter(Rest& rest) : rest_(rest) {}
    bool await_ready() const { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> awaiter) {
      if (auto* task = std::get_if<1>(&rest_.task_)) return task->await_suspend(awaiter);
      return std::get<2>(rest_.task_).await_suspend(awaiter);
    }
    void await_resume() {
      if (auto* task = std::get_if<1>(&rest_.task_)) *rest_.outcome_ = task->await_resume();
      else std::get<2>(rest_.task_).await_resume();
    }

   private:
    Rest& rest_;
  };
  std::variant<std::monostate, Task<Outcome>, Task<void>> task_;
  Outcome* outcome_ = nullptr;
};

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
          [](Exchange& x, const void* c, Outcome& outcome) { return Rest(Run(x, *static_cast<const Conf*>(c)), outcome); }};
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
