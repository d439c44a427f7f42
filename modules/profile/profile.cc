// The profile module: where its directive stands, profiles of this worker's CPU time, memory and scripts, what waits in it and what
// holds its loops up can be had. Without the directive nothing of it is there: no path, no handler of a signal, no thread, no sampled
// allocation.
#include <optional>

#include "cpu.h"
#include "flame.h"
#include "heap.h"
#include "loops.h"
#include "page.h"
#include "pprof.h"
#include "scripts.h"
#include "seawall/base/text.h"
#include "seawall/module/access_steps.h"
#include "seawall/net/offload.h"
#include "seawall/server/own_page.h"
#include "tasks.h"
#include "trace.h"

namespace seawall::profile {

class Conf {
 public:
  OwnPage page;
  bool is_mounted = false;  // of the main context's: somewhere there is a page
};

class Profile {
 public:
  using Conf = profile::Conf;
  static constexpr const char* name = "profile";
  static constexpr const char* summary = "profiles of CPU time, memory and scripts, what waits and what holds a loop up, for pprof and as flame graphs";
  static const Directive directives[1];
  static const Step steps[1];

  class LoopState {
   public:
    LoopState(Loop& loop, const Conf& main) {
      if (!main.is_mounted) return;
      registered.emplace(loop);
      begin_heap_sampling();
    }
    std::optional<RegisteredLoop> registered;
    ThreadPool writers{1, 4};  // reading symbols takes a while
  };

  static void check(Conf& conf, Settings& settings, Binder& binder);
};

namespace {

constexpr std::uint64_t kDefaultSeconds = 10, kMostSeconds = 60;
constexpr Milliseconds kWriting{60'000};

// The value of an argument of the query; nothing: there is none.
std::optional<std::string_view> argument(const Exchange& x, std::string_view name) {
  std::string_view rest = x.args;
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    const auto equals = one.find('=');
    if (equals != one.npos && one.substr(0, equals) == name) return one.substr(equals + 1);
  }
  return std::nullopt;
}

Response answer(int status, std::string body, const char* type) {
  Response response(status, Slice::from(std::move(body)));
  response.headers.add("Content-Type", type);
  response.headers.add("Cache-Control", "no-store");
  response.headers.add("X-Content-Type-Options", "nosniff");
  response.headers.add("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
  return response;
}

Response refuse(int status, const char* why) { return answer(status, std::string(why) + "\n", "text/plain"); }

// What a request asks for.
class Wish {
 public:
  std::chrono::seconds time{kDefaultSeconds};
  std::vector<LoopThread> loops;
  std::string format;
  std::size_t tasks = kDefaultTasks;
  bool svg = false;
};
std::optional<Wish> wish_of(const Exchange& x) {
  Wish wish;
  wish.format = argument(x, "format").value_or("");
  wish.svg = wish.format == "svg";
  if (const auto seconds = argument(x, "seconds")) {
    const auto n = parse_decimal(*seconds);
    if (!n || *n == 0 || *n > kMostSeconds) return std::nullopt;
    wish.time = std::chrono::seconds(*n);
  }
  if (const auto most = argument(x, "most")) {
    const auto n = parse_decimal(*most);
    if (!n || *n == 0 || *n > kMostTasks) return std::nullopt;
    wish.tasks = *n;
  }
  wish.loops = all_loops();
  if (const auto loop = argument(x, "loop")) {
    const auto number = parse_decimal(*loop);
    std::erase_if(wish.loops, [&](const LoopThread& one) { return !number || one.number != static_cast<std::int64_t>(*number); });
  }
  if (wish.loops.empty()) return std::nullopt;
  return wish;
}

bool is_format(std::string_view part, std::string_view format) {
  if (format.empty() || format == "pprof" || format == "svg") return true;
  return (part == "tasks" && format == "text") || (part == "trace" && format == "json");
}

// What a request gets.
class Written {
 public:
  Written(std::string text, const char* type, std::string name = {}) : text(std::move(text)), type(type), name(std::move(name)) {}
  std::string text;
  const char* type;
  std::string name;  // of a file to keep
};
Written written(const ProfileData& data, Symbols& symbols, const std::string& title, bool svg) {
  if (svg) return Written(flame_graph_of(data, symbols, title), "image/svg+xml");
  return Written(pprof_of(data, symbols), "application/octet-stream", title + ".pb.gz");
}

// Written by a thread of its own: the loop goes on.
Task<Outcome> write(Exchange& x, std::function<Written(Symbols&)> how) {
  auto work = [how = std::move(how)] {
    Symbols symbols;
    return how(symbols);
  };
  Result<Written> done = co_await offload(loop_state<Profile>(x.loop).writers, std::move(work), Deadline::in(kWriting, Wait::handler));
  if (!done) co_return refuse(503, "too many profiles are being written");
  Response response = answer(200, std::move(done->text), done->type);
  if (!done->name.empty()) response.headers.add("Content-Disposition", "attachment; filename=\"" + done->name + "\"");
  co_return response;
}
Task<Outcome> write(Exchange& x, ProfileData data, std::string title, bool svg) {
  return write(x, [data = std::move(data), title, svg](Symbols& symbols) { return written(data, symbols, title, svg); });
}

Task<Outcome> profile_cpu(Exchange& x, Wish wish) {
  auto sampling = CpuSampling::begin(wish.loops, wish.time);
  if (!sampling) co_return refuse(409, "another profile of the CPU is being made");
  const Errc slept = co_await sleep_until(Deadline::in(wish.time, Wait::handler));
  if (slept == Errc::cancelled) co_return Abort{};
  ProfileData data = sampling->finish();
  sampling.reset();
  co_return co_await write(x, std::move(data), "cpu", wish.svg);
}

// The answer where a loop has not done what it was asked for.
Outcome refusal(Asked how, const char* taken) {
  switch (how) {
    case Asked::nothing_there: return refuse(404, "no scripts run here");
    case Asked::taken: return refuse(409, taken);
    case Asked::no_answer: return refuse(503, "that loop does not answer");
    case Asked::done:
    case Asked::cancelled: break;
  }
  return Abort{};
}

// LuaJIT's profiler serves one VM of the process at a time: one loop's.
Task<Outcome> profile_lua(Exchange& x, Wish wish) {
  ScriptProfile profile = co_await profile_scripts(wish.loops.front(), wish.time);
  if (profile.how != Asked::done) co_return refusal(profile.how, "another profile of scripts is being made");
  co_return co_await write(x, std::move(profile.data), "lua", wish.svg);
}

Task<Outcome> show_heap(Exchange& x, const Wish& wish) {
  ProfileData data = heap_profile();
  return write(x, std::move(data), "heap", wish.svg);
}

Task<Outcome> show_tasks(Exchange& x, Wish wish) {
  auto loops = co_await look_at(std::move(wish.loops), wish.tasks);
  if (!loops) co_return Abort{};
  const bool text = wish.format.empty() || wish.format == "text";
  std::function<Written(Symbols&)> how = [loops = std::move(*loops), text, svg = wish.svg](Symbols& symbols) {
    if (text) return Written(text_of(loops, symbols), "text/plain; charset=utf-8");
    return written(profile_of(loops, symbols), symbols, "tasks", svg);
  };
  co_return co_await write(x, std::move(how));
}

Task<Outcome> show_trace(Exchange& x, Wish wish) {
  const bool events = wish.format == "json";
  TraceResult result = co_await trace_loop(wish.loops.front(), wish.time, events);
  if (result.how != Asked::done) co_return refusal(result.how, "another trace of that loop is being made");
  std::function<Written(Symbols&)> how = [trace = std::move(result.trace), events, svg = wish.svg](Symbols& symbols) {
    if (events) return Written(events_of(trace, symbols), "application/json", "trace.json");
    return written(profile_of(trace, symbols), symbols, "trace", svg);
  };
  co_return co_await write(x, std::move(how));
}

Task<Outcome> show(Exchange& x, const Conf& conf) {
  if (!conf.page.is_here(x)) co_return Next{};
  if (!reads(x)) co_return Response(405);
  const auto slash = x.uri.rfind('/');
  const std::string_view part = std::string_view(x.uri).substr(slash + 1);
  std::optional<Wish> wish = wish_of(x);
  if (!wish) co_return refuse(400, "seconds are 1 to 60, most is 1 to 10000, a loop is one of this worker's");
  if (!is_format(part, wish->format)) co_return refuse(400, "the formats are pprof and svg, of tasks also text, of trace also json");
  if (part == "profile" || part == "lua" || part == "trace") x.set_deadline(wish->time + 2 * kWriting);
  if (part == "profile") co_return co_await profile_cpu(x, std::move(*wish));
  if (part == "lua") co_return co_await profile_lua(x, std::move(*wish));
  if (part == "trace") co_return co_await show_trace(x, std::move(*wish));
  if (part == "heap") co_return co_await show_heap(x, *wish);
  if (part == "tasks") co_return co_await show_tasks(x, std::move(*wish));
  if (part.empty()) co_return answer(200, index_page(x.uri, static_cast<int>(all_loops().size())), "text/html; charset=utf-8");
  co_return Response(404);
}

}  // namespace

void Profile::check(Conf& conf, Settings& settings, Binder& binder) {
  if (!conf.page.is_of(settings)) return;
  Settings* main = &settings;
  while (main->outer) main = main->outer;
  static_cast<Conf*>(binder.own(*main, module_number<Profile>))->is_mounted = true;
  if (!has_access_step(binder, settings))
    binder.options().warn("everybody may profile this server here: \"profile\" stands without \"allow\" and \"deny\", \"auth_basic\", \"auth_request\" or \"access_by_lua\" in " +
                          settings.place.text());
}

const Directive Profile::directives[] = {
    own_page<Conf>("profile", "Profiles of this worker below a path that ends in a slash: CPU time, memory and scripts; what waits in it (tasks), and what holds a loop up (trace). Let nobody in who need not."),
};

const Step Profile::steps[] = {step<Conf, has_own_page<Conf>, show>(Phase::content)};

}  // namespace seawall::profile

using seawall::profile::Profile;
SEAWALL_MODULE(Profile)
