#include "scripts.h"

#include <ctime>
#include <memory>

#include "seawall/observe/script_profile.h"

namespace seawall::profile {
namespace {

constexpr Milliseconds kBetween{10};
constexpr Milliseconds kLate{30'000};  // a script may hold the loop

// On the loop that is profiled; holds it open no longer than its requests do.
class Sampling final : public Errand {
 public:
  explicit Sampling(Milliseconds time) : time_(time) {}
  Asked how = Asked::nothing_there;
  std::int64_t began = 0, ended = 0;  // ns
  std::vector<ScriptSample> samples;

 private:
  Task<void> run() override {
    ScriptProfiler* const profiler = script_profiler();
    if (!profiler) co_return;
    if (!profiler->start(kBetween)) {
      how = Asked::taken;
      co_return;
    }
    how = Asked::done;
    began = Loop::current().now();
    // Whatever ends the wait: what has been seen by then.
    [[maybe_unused]] const Errc waited = co_await left.wait(Deadline::in(time_, Wait::handler));
    ended = Loop::current().now();
    samples = profiler->stop();
  }
  const Milliseconds time_;
};

ProfileData data_of(const Sampling& sampling, int loop) {
  const std::int64_t period = std::chrono::nanoseconds(kBetween).count();
  ProfileData data;
  data.types = {{"samples", "count"}, {"cpu", "nanoseconds"}};
  data.shown = 1;
  data.period_type = {"cpu", "nanoseconds"};
  data.period = period;
  data.duration = sampling.ended - sampling.began;
  data.time = std::time(nullptr) * 1'000'000'000LL - data.duration;
  for (const ScriptSample& sample : sampling.samples) {
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
  const auto sampling = std::make_shared<Sampling>(time);
  ScriptProfile profile;
  profile.how = Asked::no_answer;
  if (!send(*of.loop, sampling)) co_return profile;
  const Errc back = co_await wait_for(sampling, Deadline::in(time + kLate, Wait::handler));
  if (back == Errc::cancelled) profile.how = Asked::cancelled;
  if (back == Errc::ok) profile.how = sampling->how;
  if (profile.how == Asked::done) profile.data = data_of(*sampling, of.number);
  co_return profile;
}

}  // namespace seawall::profile
