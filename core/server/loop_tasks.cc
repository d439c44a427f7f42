#include "seawall/server/loop_tasks.h"

#include <unordered_map>

#include "seawall/net/loop.h"
#include "seawall/route/choice.h"
#include "seawall/server/connection.h"
#include "seawall/server/h2_connection.h"
#include "seawall/server/h2_stream.h"

namespace seawall {
namespace {

constexpr std::size_t kDeepest = 64;      // of a stack
constexpr std::size_t kLongest = 1024;    // of what a client or an upstream's address has in it
constexpr std::size_t kLooksForEach = 10;  // waits that are looked at for each that may be told

// 0: there is none.
std::int64_t begin_of_oldest_stream(const Connection& c) {
  std::int64_t begin = 0;
  if (!c.h2) return begin;
  c.h2->each_stream([&](const H2Stream& stream) {
    if (!stream.served && (begin == 0 || stream.started < begin)) begin = stream.started;
  });
  return begin;
}

std::int64_t begin_of_state(const Connection& c) {
  switch (c.state()) {
    case ConnState::new_:
    case ConnState::handshake: return c.info.started;
    case ConnState::h2: return begin_of_oldest_stream(c);
    case ConnState::header: return c.head_started ? c.head_started : c.info.started;
    case ConnState::idle:
    case ConnState::linger: return c.idle_since;
    default: break;
  }
  if (!c.exchange) return 0;
  return c.exchange->response_begun ? c.exchange->response_begun : c.exchange->head_read;
}

std::string protocol_of(const Connection& c) {
  const bool tls = c.info.tls && !c.plain_on_tls;
  if (c.state() == ConnState::new_ || c.state() == ConnState::handshake) return tls ? "TLS" : "HTTP";
  return std::string(c.h2 ? "HTTP/2" : "HTTP/1") + (tls ? " over TLS" : "");
}

OpenConnection picture_of(const Connection& c) {
  OpenConnection picture;
  picture.number = c.info.number;
  picture.client = c.info.remote.text_with_port();
  picture.server = c.info.local.text_with_port();
  picture.protocol = protocol_of(c);
  picture.state = c.state();
  picture.since = begin_of_state(c);
  return picture;
}

std::string cut(std::string_view text) { return text.size() <= kLongest ? std::string(text) : std::string(text.substr(0, kLongest)) + "..."; }

// handler_timeout stands still while the client's body is awaited: then only request_max_time is known.
OpenRequest picture_of(const Exchange& x) {
  OpenRequest request;
  request.line = cut(x.request.request_line);
  request.host = cut(x.request.authority);
  request.location = title_and_place_of(*x.location);
  request.upstream = cut(x.upstream);
  request.since = x.response_begun ? x.response_begun : x.head_read;
  request.phase = x.response_begun ? Wait::send : Wait::handler;
  request.until = x.last_deadline(request.phase).when();
  if (!x.response_begun && x.handler_clock_started()) request.until = std::min(request.until, x.handler_deadline());
  return request;
}

// Whose a coroutine is: by its place in `connections` and in its requests.
class Owner {
 public:
  static constexpr std::size_t kNone = ~std::size_t{0};
  std::size_t connection = kNone, request = kNone;
  bool is_known = false;  // else nobody's; known without a connection: of one that is left out
};

class Picture {
 public:
  explicit Picture(std::size_t most) : most_(most), looks_(kLooksForEach * most), idle_looks_(looks_) {}

  LoopTasks take(Loop& loop) {
    out_.now = loop.now();
    take_connections();
    walk(loop.scope(), Owner());
    AsyncLook::waits_over([this](const AsyncLook::Wait& wait) { add(wait, Owner()); });
    return std::move(out_);
  }

 private:
  // Those that are idle come last; of those no more are remembered than may be told.
  void take_connections() {
    std::vector<const Connection*> idle;
    List<OpenPlace>& places = open_places();
    for (OpenPlace* place = places.front(); place; place = places.next(*place)) {
      const Connection& c = place->connection;
      if (c.state() == ConnState::idle && idle.size() < most_) idle.push_back(&c);
      else take_one(c, c.state() != ConnState::idle);
    }
    for (const Connection* c : idle) take_one(*c, true);
  }

  void take_one(const Connection& c, bool tell) {
    Owner owner;
    owner.is_known = true;
    if (tell && out_.connections.size() < most_) {
      owner.connection = out_.connections.size();
      out_.connections.push_back(picture_of(c));
    } else {
      ++out_.connections_left_out;
    }
    if (c.h2) {
      for (const Scope* scope : c.h2->own_scopes()) by_scope_[scope] = owner;
      c.h2->each_stream([&](const H2Stream& stream) { take_stream(stream, owner); });
    }
    if (c.exchange) owner = take_request(*c.exchange, owner, 0);
    by_task_[c.task.address()] = owner;
  }

  void take_stream(const H2Stream& stream, Owner owner) {
    if (stream.served) return;
    if (stream.exchange) owner = take_request(*stream.exchange, owner, stream.id);
    by_task_[stream.task.address()] = owner;
  }

  Owner take_request(const Exchange& x, Owner owner, int stream) {
    if (requests_ == most_) owner.connection = Owner::kNone;
    if (owner.connection == Owner::kNone) {
      ++out_.requests_left_out;
    } else {
      ++requests_;
      std::vector<OpenRequest>& requests = out_.connections[owner.connection].requests;
      owner.request = requests.size();
      requests.push_back(picture_of(x));
      requests.back().stream = stream;
    }
    by_scope_[&x.scope] = by_scope_[&x.background] = owner;
    return owner;
  }

  // Scopes are those of whom they belong to, else of whom the scope around them belongs to, else of who waits for their end.
  void walk(Scope& scope, Owner outer) {
    const auto end = AsyncLook::wait_for_end_of(scope);
    const auto known = by_scope_.find(&scope);
    Owner owner = known == by_scope_.end() ? outer : known->second;
    if (!owner.is_known && end) owner = owner_of(end->coroutine);
    by_scope_[&scope] = owner;
    if (end && !end->is_over) add(*end, outer);
    AsyncLook::waits_in(scope, [&](const AsyncLook::Wait& wait) { add(wait, owner); });
    AsyncLook::scopes_in(scope, [&](Scope& inner) { walk(inner, owner); });
  }

  // The innermost scope says it best: a request's lies in its connection's task. Not where all that it says is the connection: its
  // streams' tasks lie in one scope of that.
  Owner owner_of(std::coroutine_handle<> coroutine) const {
    Owner owner;
    void* outermost = nullptr;
    AsyncLook::stack(coroutine, [&](const AsyncFrame& frame) {
      outermost = frame.coroutine.address();
      if (owner.is_known) return true;
      const auto known = by_scope_.find(frame.scope);
      if (known != by_scope_.end()) owner = known->second;
      return owner.request == Owner::kNone;
    });
    if (owner.request != Owner::kNone) return owner;
    const auto task = by_task_.find(outermost);
    return task == by_task_.end() ? owner : task->second;
  }

  // Bounds how long the loop stands still. Waits of idle connections, mostly the many, do not use up the looks of the others.
  bool may_look(const AsyncLook::Wait& wait) {
    std::size_t& looks = wait.deadline && wait.deadline->wait() == seawall::Wait::idle ? idle_looks_ : looks_;
    if (looks == 0) return false;
    --looks;
    return true;
  }

  // `around`: whose the scope is in which it waits, if nothing better is known.
  void add(const AsyncLook::Wait& wait, Owner around) {
    if (tasks_ == most_ || !may_look(wait)) return void(++out_.tasks_left_out);
    Owner owner = owner_of(wait.coroutine);
    if (!owner.is_known) owner = around;
    if (owner.is_known && owner.connection == Owner::kNone) return void(++out_.tasks_left_out);
    ++tasks_;
    WaitingTask task{wait.kind, wait.deadline, wait.is_over, {}};
    AsyncLook::stack(wait.coroutine, [&](const AsyncFrame& frame) {
      task.functions.push_back(frame.function);
      return task.functions.size() < kDeepest;
    });
    tasks_of(owner).push_back(std::move(task));
  }

  std::vector<WaitingTask>& tasks_of(Owner owner) {
    if (owner.connection == Owner::kNone) return out_.others;
    OpenConnection& connection = out_.connections[owner.connection];
    return owner.request == Owner::kNone ? connection.tasks : connection.requests[owner.request].tasks;
  }

  const std::size_t most_;
  std::size_t looks_, idle_looks_;  // that are left
  std::size_t requests_ = 0, tasks_ = 0;
  LoopTasks out_;
  std::unordered_map<const void*, Owner> by_task_;  // by the outermost coroutine
  std::unordered_map<const Scope*, Owner> by_scope_;
};

}  // namespace

LoopTasks look_at_tasks(std::size_t most) { return Picture(most).take(Loop::current()); }

}  // namespace seawall
