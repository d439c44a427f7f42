#include <algorithm>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

#include "async_names.h"
#include "trace.h"

namespace seawall::profile {
namespace {

bool is_turn(const TracedWork& work) { return work.part == std::string_view(Trace::kTurn); }

// The innermost first; the location is what the coroutine went on to do.
std::vector<std::string> frames_of(const TracedWork& work, AsyncNames& names) {
  if (work.part) return {work.part};
  std::vector<std::string> frames;
  if (!work.location.empty()) frames.push_back(work.location);
  for (const std::uintptr_t function : work.functions) frames.push_back(names.of(function));
  return frames;
}

std::string text_of(const nlohmann::json& value) { return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace); }

// The members that all events of one kind share.
std::string members_of(const TracedWork& work, int loop, AsyncNames& names) {
  nlohmann::json members = {{"ph", "X"}, {"pid", 1}, {"tid", loop}, {"cat", work.part ? "callbacks" : "coroutine"}};
  const std::vector<std::string> frames = frames_of(work, names);
  members["name"] = frames.empty() ? "coroutine" : frames.front();
  if (!work.part) {
    std::string stack;
    for (const std::uintptr_t function : work.functions) stack += (stack.empty() ? "" : " < ") + names.of(function);
    members["args"] = {{"stack", stack}};
    if (!work.location.empty()) members["args"]["location"] = work.location;
  }
  const std::string text = text_of(members);
  return text.substr(1, text.size() - 2);
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
  std::vector<std::string> members;
  for (const TracedWork& work : trace.work) members.push_back(members_of(work, trace.loop, names));
  std::vector<TraceEvent> events = trace.events.kept();
  // Of those that begin at once the outer first.
  std::sort(events.begin(), events.end(), [](const TraceEvent& a, const TraceEvent& b) { return a.when != b.when ? a.when < b.when : a.took > b.took; });
  std::string out = "{\"traceEvents\":[\n{\"ph\":\"M\",\"pid\":1,\"tid\":" + std::to_string(trace.loop) + ",\"name\":\"thread_name\",\"args\":{\"name\":\"loop " +
                    std::to_string(trace.loop) + "\"}}";
  for (const TraceEvent& event : events)
    out += ",\n{\"ts\":" + microseconds(event.when - trace.began) + ",\"dur\":" + microseconds(event.took) + "," + members[event.work] + "}";
  const nlohmann::json metadata = {{"seconds", static_cast<double>(trace.duration) / 1e9},
                                   {"events", events.size()},
                                   {"events_left_out", trace.events.left_out()},
                                   {"shortest_kept_microseconds", static_cast<double>(trace.events.shortest()) / 1e3}};
  return out + "\n],\n\"displayTimeUnit\":\"ms\",\n\"metadata\":" + text_of(metadata) + "}\n";
}

}  // namespace seawall::profile
