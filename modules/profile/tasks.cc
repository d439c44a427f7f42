#include "tasks.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <map>
#include <memory>

#include "async_names.h"

namespace seawall::profile {
namespace {

constexpr Milliseconds kPatience{5'000};

// Whatever a client has written stays on its line.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    char code[8];
    std::snprintf(code, sizeof code, "\\x%02X", byte);
    if (byte < 0x20 || byte >= 0x7f || c == '"' || c == '\\') out += code;
    else out += c;
  }
  return out;
}

std::string seconds(std::int64_t time) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f s", static_cast<double>(time) / 1e9);
  return text;
}

// ", 59.796 s left".
std::string left(std::int64_t until, std::int64_t now) {
  if (until == Deadline::kNever) return {};
  return until >= now ? ", " + seconds(until - now) + " left" : ", late by " + seconds(now - until);
}

std::string phase(const char* name, std::int64_t since, std::int64_t until, std::int64_t now) {
  return name + (since ? " for " + seconds(std::max<std::int64_t>(0, now - since)) : std::string()) + left(until, now);
}

std::int64_t earliest(const std::vector<WaitingTask>& tasks, std::int64_t until) {
  for (const WaitingTask& task : tasks)
    if (task.deadline) until = std::min(until, task.deadline->when());
  return until;
}

// The end of the phase is that of the first wait to end in it; over HTTP/2 streams have theirs.
std::int64_t end_of(const OpenConnection& connection) {
  std::int64_t until = earliest(connection.tasks, Deadline::kNever);
  for (const OpenRequest& request : connection.requests)
    if (request.stream == 0) until = earliest(request.tasks, until);
  return until;
}

// "socket: upstream_read".
std::string awaited(const WaitingTask& task) {
  static constexpr const char* kKinds[] = {"tasks to end", "event", "time", "socket"};
  const std::string what = kKinds[task.kind];
  return (task.is_over ? "over: " : "") + what + (task.deadline ? std::string(": ") + name_of(task.deadline->wait()) : std::string());
}

class Text {
 public:
  explicit Text(AsyncNames& names) : names_(names) {}

  void add(const LoopPicture& loop) {
    text += "loop " + std::to_string(loop.number);
    if (!loop.tasks) return void(text += " is too busy to answer\n");
    const LoopTasks& tasks = *loop.tasks;
    now_ = tasks.now;
    text += ", connections: " + std::to_string(tasks.connections.size() + tasks.connections_left_out) + "\n";
    for (const OpenConnection& connection : tasks.connections) add(connection);
    if (!tasks.others.empty()) text += "  without a connection\n";
    add(tasks.others, "    ");
    if (tasks.connections_left_out + tasks.requests_left_out + tasks.tasks_left_out > 0)
      text += "  left out: connections: " + std::to_string(tasks.connections_left_out) + ", requests: " +
              std::to_string(tasks.requests_left_out) + ", coroutines: " + std::to_string(tasks.tasks_left_out) + "\n";
  }
  std::string text;

 private:
  void add(const OpenConnection& c) {
    text += "  connection " + std::to_string(c.number) + " of " + c.client + " at " + c.server + ", " + c.protocol + ": " +
            phase(name_of(c.state), c.since, end_of(c), now_) + "\n";
    add(c.tasks, "    ");
    for (const OpenRequest& request : c.requests) add(request);
  }
  void add(const OpenRequest& request) {
    text += "    ";
    if (request.stream) text += "stream " + std::to_string(request.stream) + ": ";
    text += "\"" + escaped(request.line) + "\" of \"" + escaped(request.host) + "\" in " + escaped(request.location) + ": " +
            phase(name_of(request.phase), request.since, request.until, now_);
    if (!request.upstream.empty()) text += ", passed to \"" + escaped(request.upstream) + "\"";
    text += "\n";
    add(request.tasks, "      ");
  }
  void add(const std::vector<WaitingTask>& tasks, const char* indent) {
    for (const WaitingTask& task : tasks) {
      text += indent + awaited(task);
      if (task.deadline && !task.is_over) text += left(task.deadline->when(), now_);
      const char* between = ": ";
      for (const std::uintptr_t function : task.functions) text += between + names_.of(function), between = " < ";
      text += "\n";
    }
  }

  AsyncNames& names_;
  std::int64_t now_ = 0;
};

class Look final : public Errand {
 public:
  Look(int loop, std::size_t most) : loop(loop), most_(most) {}
  const int loop;
  LoopTasks tasks;

 private:
  Task<void> run() override {
    tasks = look_at_tasks(most_);
    co_return;
  }
  const std::size_t most_;
};

void each_task(const LoopTasks& tasks, const std::function<void(const WaitingTask&)>& visit) {
  for (const OpenConnection& connection : tasks.connections) {
    for (const WaitingTask& task : connection.tasks) visit(task);
    for (const OpenRequest& request : connection.requests)
      for (const WaitingTask& task : request.tasks) visit(task);
  }
  for (const WaitingTask& task : tasks.others) visit(task);
}

}  // namespace

Task<std::optional<std::vector<LoopPicture>>> look_at(std::vector<LoopThread> loops, std::size_t most) {
  const Deadline patience = Deadline::in(kPatience, Wait::handler);
  std::vector<std::shared_ptr<Look>> looks;
  for (const LoopThread& one : loops) {
    auto look = std::make_shared<Look>(one.number, most);
    if (send(*one.loop, look)) looks.push_back(std::move(look));
  }
  // All look at once: who is busy keeps nobody from answering.
  std::vector<LoopPicture> pictures;
  for (const auto& look : looks) {
    const Errc back = co_await wait_for(look, patience);
    if (back == Errc::cancelled) co_return std::nullopt;
    if (back == Errc::ok) pictures.emplace_back(look->loop, std::move(look->tasks));
    else pictures.emplace_back(look->loop, std::nullopt);
  }
  co_return std::optional(std::move(pictures));
}

std::string text_of(const std::vector<LoopPicture>& loops, Symbols& symbols) {
  AsyncNames names(symbols);
  Text text(names);
  for (const LoopPicture& loop : loops) text.add(loop);
  return std::move(text.text);
}

ProfileData profile_of(const std::vector<LoopPicture>& loops, Symbols& symbols) {
  ProfileData data;
  data.types = {{"tasks", "count"}};
  data.period_type = {"tasks", "count"};
  data.period = 1;
  data.time = std::time(nullptr) * 1'000'000'000LL;
  AsyncNames names(symbols);
  for (const LoopPicture& loop : loops) {
    if (!loop.tasks) continue;
    std::map<std::vector<std::string>, std::int64_t> counts;
    each_task(*loop.tasks, [&](const WaitingTask& task) {
      std::vector<std::string> stack{awaited(task)};
      for (const std::uintptr_t function : task.functions) stack.push_back(names.of(function));
      ++counts[std::move(stack)];
    });
    for (const auto& [frames, n] : counts) {
      Stack& stack = data.stacks.emplace_back();
      stack.names = frames;
      stack.values = {n};
      stack.loop = loop.number;
    }
  }
  return data;
}

}  // namespace seawall::profile
