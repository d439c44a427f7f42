#include "profiler.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <new>

#include "vm.h"
#include "watchdog.h"

namespace seawall::lua {
namespace {

constexpr int kDeepest = 64;

std::atomic<bool> taken{false};
std::atomic<const Vm*> profiled{nullptr};
std::atomic<Profiler::Handler> luajits{nullptr};  // LuaJIT's handler of its signal

Profiler::Handler present_handler() {
  struct sigaction action {};
  ::sigaction(SIGPROF, nullptr, &action);
  return action.sa_handler;
}

// On the profiled loop's thread.
void on_signal(int signal) {
  if (Vm::now() == profiled.load(std::memory_order_relaxed)) luajits.load(std::memory_order_relaxed)(signal);
}

// Instead of LuaJIT's own timer and handler.
bool start_timer(timer_t& timer, Milliseconds between) {
  const itimerval never{};
  ::setitimer(ITIMER_PROF, &never, nullptr);
  luajits = present_handler();
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  ::sigaddset(&action.sa_mask, watchdog_signal());  // both change LuaJIT's hooks: one after the other
  ::sigaction(SIGPROF, &action, nullptr);
  sigevent event{};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = SIGPROF;
  event._sigev_un._tid = static_cast<pid_t>(::syscall(SYS_gettid));
  if (::timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer) < 0) return false;
  const auto nanoseconds = std::chrono::nanoseconds(between).count();
  const timespec period{nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
  const itimerspec every{period, period};
  ::timer_settime(timer, 0, &every, nullptr);
  return true;
}

std::vector<std::string> frames_of(const std::string& stack) {
  std::vector<std::string> frames;
  for (std::size_t begin = 0; begin < stack.size();) {
    const std::size_t end = std::min(stack.find('\n', begin), stack.size());
    if (end > begin) frames.push_back(stack.substr(begin, end - begin));
    begin = end + 1;
  }
  return frames;
}

}  // namespace

Profiler::Profiler(Vm& vm) : vm_(vm) { set_script_profiler(this); }

Profiler::~Profiler() {
  set_script_profiler(nullptr);
  stop();
}

bool Profiler::start(Milliseconds between) {
  if (taken.exchange(true)) return false;
  before_ = present_handler();
  if (before_ != SIG_DFL && before_ != SIG_IGN) {  // a script's own jit.profile
    taken = false;
    return false;
  }
  counts_.clear();
  // What LuaJIT restores in the end: where a script calls jit.profile.stop() meanwhile, our timer's signals end nobody.
  ::signal(SIGPROF, SIG_IGN);
  profiled = &vm_;
  // At each change of function; every so many ms, which must not be over before its timer is exchanged.
  luaJIT_profile_start(vm_.state(), "fi86400000", &Profiler::count, this);
  running_ = true;
  if (start_timer(timer_, between)) return true;
  running_ = false;
  end_sampling();
  return false;
}

// A script that has begun jit.profile meanwhile has taken LuaJIT's profiler over, and keeps it.
void Profiler::end_sampling() {
  if (present_handler() == on_signal) luaJIT_profile_stop(vm_.state());
  if (present_handler() == SIG_IGN) ::signal(SIGPROF, before_);  // nothing is under way that it could meet
  taken = false;
}

std::vector<ScriptSample> Profiler::stop() {
  std::vector<ScriptSample> samples;
  if (!running_) return samples;
  running_ = false;
  ::timer_delete(timer_);  // its last signal has come by the time it returns: it is this thread's
  end_sampling();
  for (const auto& [stack, n] : counts_) {
    ScriptSample& sample = samples.emplace_back();
    sample.count = n;
    sample.frames = frames_of(stack);
  }
  counts_.clear();
  return samples;
}

// LuaJIT calls it between two instructions of the script. It must not raise, and throw neither.
void Profiler::count(void* profiler, lua_State* L, int samples, int state) {
  std::size_t size = 0;
  const char* const stack = luaJIT_profile_dumpstack(L, "F\n", kDeepest, &size);
  try {
    std::string frames = state == 'G' ? "[garbage collector]\n" : state == 'J' ? "[JIT compiler]\n" : "";
    frames.append(stack, size);
    static_cast<Profiler*>(profiler)->counts_[std::move(frames)] += static_cast<std::uint64_t>(samples);
  } catch (const std::bad_alloc&) {
    return;  // one sample less
  }
}

}  // namespace seawall::lua
