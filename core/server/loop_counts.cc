#include "seawall/server/loop_counts.h"

#include <algorithm>
#include <new>
#include <set>

#include "seawall/base/shared_memory.h"
#include "seawall/server/event_counts.h"

namespace seawall {
namespace {

constexpr std::uint32_t kPlaces = 1024;  // for loops of all generations

// What only grows; `from` is one loop's.
void add_totals(ServerCounts& all, const LoopCounts& from) {
  all.accepted += from.accepted;
  all.handled += from.handled;
  all.requests += from.requests;
  all.accept_errors += from.accept_errors;
  all.aborts += from.aborts;
  for (std::size_t i = 0; i < from.timeouts.size(); ++i) all.timeouts[i] += from.timeouts[i];
  for (std::size_t i = 0; i < from.h2_abuses.size(); ++i) all.h2_abuses[i] += from.h2_abuses[i];
}

// Memory of places that no loop has had yet is not touched.
class alignas(LoopCounts) Board {
 public:
  LoopCounts* take(const ProcessId& self) {
    const SharedLock lock(mutex_);
    std::uint32_t free = used_;
    for (std::uint32_t i = 0; i < used_; ++i) {
      LoopCounts& place = places()[i];
      if (place.process.pid != 0 && place.process != self && !place.process.alive()) give_back(place);
      if (place.process.pid == 0) free = std::min(free, i);
    }
    if (free == kPlaces) return nullptr;
    LoopCounts* const taken = new (&places()[free]) LoopCounts;
    taken->process = self;
    if (free == used_) ++used_;
    return taken;
  }

  void release(LoopCounts& place) {
    const SharedLock lock(mutex_);
    give_back(place);
  }

  ServerCounts sum() {
    const SharedLock lock(mutex_);
    ServerCounts all = past_;
    std::set<pid_t> processes;
    for (std::uint32_t i = 0; i < used_; ++i) {
      if (places()[i].process.pid == 0) continue;
      add(all, places()[i]);
      processes.insert(places()[i].process.pid);
    }
    all.processes = processes.size();
    return all;
  }

  static Board& instance() {
    static SharedMemory memory(sizeof(Board) + kPlaces * sizeof(LoopCounts));
    static Board& board = *new (memory.data()) Board;
    return board;
  }

 private:
  LoopCounts* places() { return reinterpret_cast<LoopCounts*>(this + 1); }

  void give_back(LoopCounts& place) {
    add_totals(past_, place);
    place.process = ProcessId();
  }

  // A connection over HTTP/2 waits while it has no request; each of its requests is written for itself (nginx).
  static void add(ServerCounts& all, const LoopCounts& loop) {
    const auto in = [&](ConnState state) -> std::uint64_t { return loop.states[static_cast<std::size_t>(state)]; };
    for (std::size_t i = 0; i < loop.states.size(); ++i) {
      all.states[i] += loop.states[i];
      all.active += loop.states[i];
    }
    const std::uint64_t h2 = in(ConnState::h2), busy = std::min<std::uint64_t>(h2, loop.h2_busy);
    all.reading += in(ConnState::header);
    all.writing += in(ConnState::body) + in(ConnState::handler) + in(ConnState::send) + in(ConnState::tunnel) + in(ConnState::linger) +
                   loop.h2_streams;
    all.waiting += in(ConnState::new_) + in(ConnState::handshake) + in(ConnState::idle) + h2 - busy;
    add_totals(all, loop);
  }

  SharedMutex mutex_;
  std::uint32_t used_ = 0;
  ServerCounts past_;  // of loops that have ended: what only grows
};

}  // namespace

CountedLoop::CountedLoop() : counts_(Board::instance().take(ProcessId::current())) {
  if (counts_) return;
  own_ = std::make_unique<LoopCounts>();
  counts_ = own_.get();
}

CountedLoop::~CountedLoop() {
  if (!own_) Board::instance().release(*counts_);
}

const char* name_of(ConnState state) {
  static constexpr const char* names[kConnStates] = {"new", "handshake", "header", "body", "handler", "send", "idle", "h2", "tunnel", "linger"};
  return names[static_cast<std::size_t>(state)];
}

void prepare_counts() {
  Board::instance();
  failure_counts();
  refusal_counts();
  renewal_counts();
  handshake_counts();
}

ServerCounts count_all() { return Board::instance().sum(); }

}  // namespace seawall
