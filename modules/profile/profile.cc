// The profile module: where its directive stands, profiles of this worker's CPU time, memory and scripts can be had. Without the
// directive nothing of it is there: no path, no handler of a signal, no thread, no sampled allocation.
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
  static constexpr const char* summary = "profiles of CPU time, memory and scripts, for pprof and as flame graphs";
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
  bool svg = false;
};
std::optional<Wish> wish_of(const Exchange& x) {
  Wish wish;
  wish.svg = argument(x, "format") == "svg";
  if (const auto seconds = argument(x, "seconds")) {
    const auto n = parse_decimal(*seconds);
    if (!n || *n == 0 || *n > kMostSeconds) return std::nullopt;
    wish.time = std::chrono::seconds(*n);
  }
  wish.loops = all_loops();
  if (const auto loop = argument(x, "loop")) {
    const auto number = parse_decimal(*loop);
    std::erase_if(wish.loops, [&](const LoopThread& one) { return !number || one.number != static_cast<std::int64_t>(*number); });
  }
  if (wish.loops.empty()) return std::nullopt;
  return wish;
}

// Written by a thread of its own: the loop goes on.
Task<Outcome> write(Exchange& x, ProfileData data, std::string title, bool svg) {
  auto work = [data = std::move(data), title, svg] {
    Symbols symbols;
    return svg ? flame_graph_of(data, symbols, title) : pprof_of(data, symbols);
  };
  Result<std::string> written = co_await offload(loop_state<Profile>(x.loop).writers, std::move(work), Deadline::in(kWriting, Wait::handler));
  if (!written) co_return refuse(503, "too many profiles are being written");
  Response response = answer(200, std::move(*written), svg ? "image/svg+xml" : "application/octet-stream");
  if (!svg) response.headers.add("Content-Disposition", "attachment; filename=\"" + title + ".pb.gz\"");
  co_return response;
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

// LuaJIT's profiler serves one VM of the process at a time: one loop's.
Task<Outcome> profile_lua(Exchange& x, Wish wish) {
  using How = ScriptProfile::How;
  ScriptProfile profile = co_await profile_scripts(wish.loops.front(), wish.time);
  switch (profile.how) {
    case How::none: co_return refuse(404, "no scripts run here");
    case How::taken: co_return refuse(409, "another profile of scripts is being made");
    case How::no_answer: co_return refuse(503, "that loop does not answer");
    case How::cancelled: co_return Abort{};
    case How::made: break;
  }
  co_return co_await write(x, std::move(profile.data), "lua", wish.svg);
}

Task<Outcome> show(Exchange& x, const Conf& conf) {
  if (!conf.page.is_here(x)) co_return Next{};
  if (!reads(x)) co_return Response(405);
  const auto slash = x.uri.rfind('/');
  const std::string_view part = std::string_view(x.uri).substr(slash + 1);
  std::optional<Wish> wish = wish_of(x);
  if (!wish) co_return refuse(400, "seconds are 1 to 60, a loop is one of this worker's");
  if (part == "heap") {
    ProfileData data = heap_profile();
    co_return co_await write(x, std::move(data), "heap", wish->svg);
  }
  if (part == "profile") {
    x.set_deadline(wish->time + 2 * kWriting);
    co_return co_await profile_cpu(x, std::move(*wish));
  }
  if (part == "lua") {
    x.set_deadline(wish->time + 2 * kWriting);
    co_return co_await profile_lua(x, std::move(*wish));
  }
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
    binder.options().warn("everybody may profile this server here: \"profile\" stands without \"allow\" and \"deny\" or \"auth_basic\" in " +
                          settings.place.text());
}

const Directive Profile::directives[] = {
    own_page<Conf>("profile", "Profiles of this worker below a path that ends in a slash: CPU time, memory and scripts. Let nobody in who need not."),
};

const Step Profile::steps[] = {step<Conf, has_own_page<Conf>, show>(Phase::content)};

}  // namespace seawall::profile

using seawall::profile::Profile;
SEAWALL_MODULE(Profile)
