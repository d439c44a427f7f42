#include "scripts.h"

#include <ctime>
#include <memory>

#include "seawall/async/event.h"
#include "seawall/observe/script_profile.h"

namespace seawall::profile {
namespace {

constexpr Milliseconds kBetween{10};
constexpr Milliseconds kLate{30'000};  // a script may hold the loop

// A profile between the request's task and the one on the loop that is profiled: whoever lets go last frees it.
class Session {
 public:
  explicit Session(Loop& here) : here(here) {}
  Loop& here;
  Event done;                         // the request's loop's
  Event left;                         // the other loop's, as all below until `done`: nobody waits any more
  ScriptProfile::How how = ScriptProfile::How::none;
  std::int64_t began = 0, ended = 0;  // ns
  std::vector<ScriptSample> samples;
};

// On the loop that is profiled; holds it open no longer than its requests do.
Task<void> sample(std::shared_ptr<Session> session, Milliseconds time) {
  Loop& loop = Loop::current();
  ScriptProfiler* const profiler = script_profiler();
  if (profiler && !profiler->start(kBetween)) session->how = ScriptProfile::How::taken;
  else if (profiler) {
    session->how = ScriptProfile::How::made;
    session->began = loop.now();
    // Whatever ends the wait: what has been seen by then.
    [[maybe_unused]] const Errc ended = co_await session->left.wait(Deadline::in(time, Wait::handler));
    session->ended = loop.now();
    session->samples = profiler->stop();
  }
  post_to(session->here, [session] { session->done.set(); });
}

// Whatever ends the request ends the sampling.
class LeavesAtEnd {
 public:
  LeavesAtEnd(Loop& there, std::shared_ptr<Session> session) : there_(there), session_(std::move(session)) {}
  ~LeavesAtEnd() {
    post_to(there_, [session = session_] { session->left.set(); });
  }
  LeavesAtEnd(const LeavesAtEnd&) = delete;
  LeavesAtEnd& operator=(const LeavesAtEnd&) = delete;

 private:
  Loop& there_;
  const std::shared_ptr<Session> session_;
};

ProfileData data_of(const Session& session, int loop) {
  const std::int64_t period = std::chrono::nanoseconds(kBetween).count();
  ProfileData data;
  data.types = {{"samples", "count"}, {"cpu", "nanoseconds"}};
  data.shown = 1;
  data.period_type = {"cpu", "nanoseconds"};
  data.period = period;
  data.duration = session.ended - session.began;
  data.time = std::time(nullptr) * 1'000'000'000LL - data.duration;
  for (const ScriptSample& sample : session.samples) {
    Stack& stack = data.stacks.emplace_back();
    stack.names = sample.frames;
    const auto n = static_cast<std::int64_t>(sample.count);
    stack.values = {n, n * period};
    stack.loop = loop;
  }
  return data;
}

}  // namespace

Task<ScriptProfile> profile_scripts(LoopThread of, Milliseconds time) {
  const auto session = std::make_shared<Session>(Loop::current());
  Loop& there = *of.loop;
  post_to(there, [session, &there, time] { there.scope().spawn(sample(session, time)); });
  const LeavesAtEnd end(there, session);
  const Errc waited = co_await session->done.wait(Deadline::in(time + kLate, Wait::handler));
  ScriptProfile profile;
  profile.how = waited == Errc::ok ? session->how : waited == Errc::timed_out ? ScriptProfile::How::no_answer : ScriptProfile::How::cancelled;
  if (profile.how == ScriptProfile::How::made) profile.data = data_of(*session, of.number);
  co_return profile;
}

}  // namespace seawall::profile
