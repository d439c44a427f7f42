#include "trace.h"

#include <algorithm>
#include <ctime>
#include <map>
#include <memory>
#include <unordered_map>

#include "seawall/async/look.h"
#include "seawall/async/run_watcher.h"
#include "seawall/route/choice.h"
#include "seawall/server/current_exchange.h"

namespace seawall::profile {
namespace {

constexpr Milliseconds kLate{30'000};     // somebody may hold the loop
constexpr Milliseconds kBetweenLooks{100};  // for the worker's end
constexpr std::size_t kDeepest = 64, kMostKinds = 10'000;
constexpr std::int64_t kLeastPart = 10'000;  // ns, to be an event

std::int64_t now() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1'000'000'000LL + t.tv_nsec;
}

// One loop's, on its thread.
class Tracer final : public RunWatcher {
 public:
  static Tracer& ours() {
    thread_local Tracer only;
    return only;
  }

  // False: it is at it.
  bool start(bool events) {
    if (on_) return false;
    on_ = true;
    wants_events_ = events;
    trace_ = Trace();
    trace_.began = marked_ = woken_ = now();
    Scheduler::current().set_watcher(this);
    return true;
  }
  Trace stop() {
    Scheduler::current().set_watcher(nullptr);
    on_ = false;
    trace_.duration = now() - trace_.began;
    by_coroutine_.clear();
    by_part_.clear();
    return std::move(trace_);
  }

 private:
  // Whose stack it is must be known before: afterwards it may be gone.
  void resume(std::coroutine_handle<> waiting) override {
    key_.assign(1, 0);
    AsyncLook::stack(waiting, [this](const AsyncFrame& frame) {
      key_.push_back(frame.function);
      return key_.size() <= kDeepest;
    });
    forget_work();
    const std::int64_t begin = now();
    waiting.resume();
    const std::int64_t end = now();
    if (!on_) return;
    const Location* const location = location_of_work();
    key_[0] = reinterpret_cast<std::uintptr_t>(location);
    took(kind_of_coroutine(location), begin, end);
  }
  void woken(std::int64_t when) override { marked_ = woken_ = when; }
  void did(const char* part) override {
    const std::int64_t begin = std::exchange(marked_, now());
    if (on_) took(kind_of_part(part), begin, marked_, marked_ - begin >= kLeastPart);
  }
  void turned() override {
    if (on_) took(kind_of_part(Trace::kTurn), woken_, now());
  }

  void took(std::size_t kind, std::int64_t begin, std::int64_t end, bool worth_an_event = true) {
    TracedWork& work = trace_.work[kind];
    ++work.count;
    work.total += end - begin;
    work.longest = std::max(work.longest, end - begin);
    if (wants_events_ && worth_an_event) trace_.events.add({begin, end - begin, kind});
  }

  std::size_t kind_of_coroutine(const Location* location) {
    const auto known = by_coroutine_.find(key_);
    if (known != by_coroutine_.end()) return known->second;
    if (trace_.work.size() >= kMostKinds) return kind_of_part("others");
    TracedWork& work = trace_.work.emplace_back();
    if (location) work.location = title_and_place_of(*location);
    work.functions.assign(key_.begin() + 1, key_.end());
    return by_coroutine_[key_] = trace_.work.size() - 1;
  }
  std::size_t kind_of_part(const char* part) {
    const auto [known, added] = by_part_.try_emplace(part, trace_.work.size());
    if (added) trace_.work.emplace_back().part = part;
    return known->second;
  }

  class Hash {
   public:
    std::size_t operator()(const std::vector<std::uintptr_t>& key) const {
      std::uint64_t hash = 14695981039346656037u;
      for (const std::uintptr_t word : key) hash = (hash ^ word) * 1099511628211u;
      return hash;
    }
  };
  bool on_ = false, wants_events_ = false;
  std::int64_t woken_ = 0, marked_ = 0;
  std::vector<std::uintptr_t> key_;  // the location and the functions of the present resumption
  std::unordered_map<std::vector<std::uintptr_t>, std::size_t, Hash> by_coroutine_;
  std::map<std::string_view, std::size_t> by_part_;
  Trace trace_;
};

// On the loop that is traced.
class Tracing final : public Errand {
 public:
  Tracing(Milliseconds time, bool events) : time_(time), events_(events) {}
  TraceResult result;

 private:
  Task<void> run() override {
    Loop& loop = Loop::current();
    Tracer& tracer = Tracer::ours();
    if (!tracer.start(events_)) {
      result.how = Asked::taken;
      co_return;
    }
    const Deadline end = Deadline::in(time_, Wait::handler);
    Errc waited = Errc::timed_out;
    while (waited == Errc::timed_out && !end.passed() && !loop.stopping())
      waited = co_await left.wait(Deadline::in(kBetweenLooks, Wait::handler).earlier(end));
    result.trace = tracer.stop();
    result.trace.loop = loop.number();
  }
  const Milliseconds time_;
  const bool events_;
};

}  // namespace

Task<TraceResult> trace_loop(LoopThread of, Milliseconds time, bool events) {
  const auto tracing = std::make_shared<Tracing>(time, events);
  TraceResult none;
  none.how = Asked::no_answer;
  if (!send(*of.loop, tracing)) co_return none;
  const Errc back = co_await wait_for(tracing, Deadline::in(time + kLate, Wait::handler));
  if (back == Errc::ok) co_return std::move(tracing->result);
  if (back == Errc::cancelled) none.how = Asked::cancelled;
  co_return none;
}

}  // namespace seawall::profile
