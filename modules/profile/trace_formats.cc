#include <algorithm>
#include <cstdio>
#include <ctime>
#include <map>
#include <nlohmann/json.hpp>

#include "async_names.h"
#include "trace.h"

namespace seawall::profile {
namespace {

constexpr std::ptrdiff_t kWithStack = 1'000;  // events

bool is_turn(const TracedWork& work) { return work.part && work.part == std::string_view(Trace::kTurn); }

// The innermost first; the location is what the coroutine went on to do.
std::vector<std::string> frames_of(const TracedWork& work, AsyncNames& names) {
  if (work.part) return {work.part};
  std::vector<std::string> frames;
  if (!work.location.empty()) frames.push_back(work.location);
  for (const std::uintptr_t function : work.functions) frames.push_back(names.of(function));
  return frames;
}

std::string text_of(const nlohmann::json& value) { return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace); }

// Chrome's stackFrames: each frame once, by whom it has been called; events name the innermost.
class StackFrames {
 public:
  // The innermost first.
  int id_of(const std::vector<std::string>& frames) {
    int id = 0;
    for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame) id = id_of(id, *frame);
    return id;
  }
  const nlohmann::json& as_json() const { return json_; }

 private:
  int id_of(int caller, const std::string& name) {
    const auto [known, added] = ids_.try_emplace({caller, name}, static_cast<int>(ids_.size()) + 1);
    if (!added) return known->second;
    nlohmann::json& frame = json_[std::to_string(known->second)] = {{"category", "coroutine"}, {"name", name}};
    if (caller) frame["parent"] = std::to_string(caller);
    return known->second;
  }
  std::map<std::pair<int, std::string>, int> ids_;
  nlohmann::json json_ = nlohmann::json::object();
};

// What all events of one kind have in common, as members of an object.
class Members {
 public:
  std::string own;    // of each
  std::string stack;  // of the longest, too
};

std::string inside(const nlohmann::json& members) {
  const std::string text = text_of(members);
  return text.substr(1, text.size() - 2);
}

Members members_of(const TracedWork& work, int loop, AsyncNames& names, StackFrames& stacks) {
  nlohmann::json own = {{"ph", "X"}, {"pid", 1}, {"tid", loop}, {"cat", work.part ? "callbacks" : "coroutine"}};
  const std::vector<std::string> frames = frames_of(work, names);
  own["name"] = frames.empty() ? "coroutine" : frames.front();
  Members members;
  if (!work.part) {
    if (!frames.empty()) own["sf"] = stacks.id_of(frames);
    std::string stack;
    for (const std::uintptr_t function : work.functions) stack += (stack.empty() ? "" : " < ") + names.of(function);
    nlohmann::json more;
    more["args"]["stack"] = stack;
    if (!work.location.empty()) more["args"]["location"] = work.location;
    members.stack = "," + inside(more);
  }
  members.own = inside(own);
  return members;
}

// Perfetto shows no stackFrames: the longest events have their stack with them. Events that took longer than this are so many at most.
std::int64_t longest_of_the_others(std::vector<TraceEvent> events) {
  if (std::ssize(events) <= kWithStack) return -1;
  const auto first = events.begin() + kWithStack;
  std::nth_element(events.begin(), first, events.end(), [](const TraceEvent& a, const TraceEvent& b) { return a.took > b.took; });
  return first->took;
}

std::string microseconds(std::int64_t time) {
  char text[40];
  std::snprintf(text, sizeof text, "%.3f", static_cast<double>(time) / 1e3);
  return text;
}

}  // namespace

ProfileData profile_of(const Trace& trace, Symbols& symbols) {
  ProfileData data;
  data.types = {{"resumptions", "count"}, {"time", "nanoseconds"}, {"longest", "nanoseconds"}};
  data.shown = 1;
  data.period_type = {"time", "nanoseconds"};
  data.period = 1;
  data.duration = trace.duration;
  data.time = std::time(nullptr) * 1'000'000'000LL - data.duration;
  AsyncNames names(symbols);
  for (const TracedWork& work : trace.work) {
    if (is_turn(work)) continue;
    Stack& stack = data.stacks.emplace_back();
    stack.names = frames_of(work, names);
    stack.values = {work.count, work.total, work.longest};
    stack.loop = trace.loop;
  }
  return data;
}

std::string events_of(const Trace& trace, Symbols& symbols) {
  AsyncNames names(symbols);
  StackFrames stacks;
  std::vector<Members> members;
  for (const TracedWork& work : trace.work) members.push_back(members_of(work, trace.loop, names, stacks));
  std::vector<TraceEvent> events = trace.events.kept();
  // Of those that begin at once the outer first.
  std::sort(events.begin(), events.end(), [](const TraceEvent& a, const TraceEvent& b) { return a.when != b.when ? a.when < b.when : a.took > b.took; });
  std::string out = "{\"traceEvents\":[\n{\"ph\":\"M\",\"pid\":1,\"tid\":" + std::to_string(trace.loop) + ",\"name\":\"thread_name\",\"args\":{\"name\":\"loop " +
                    std::to_string(trace.loop) + "\"}}";
  const std::int64_t without_stack = longest_of_the_others(events);
  for (const TraceEvent& event : events) {
    const Members& its = members[event.work];
    out += ",\n{\"ts\":" + microseconds(event.when - trace.began) + ",\"dur\":" + microseconds(event.took) + "," + its.own;
    if (event.took > without_stack) out += its.stack;
    out += "}";
  }
  const nlohmann::json metadata = {{"seconds", static_cast<double>(trace.duration) / 1e9},
                                   {"events", events.size()},
                                   {"events_left_out", trace.events.left_out()},
                                   {"shortest_kept_microseconds", static_cast<double>(trace.events.shortest()) / 1e3}};
  return out + "\n],\n\"stackFrames\":" + text_of(stacks.as_json()) + ",\n\"displayTimeUnit\":\"ms\",\n\"metadata\":" + text_of(metadata) + "}\n";
}

}  // namespace seawall::profile
