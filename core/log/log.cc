#include "seawall/log/log.h"

#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <ctime>

#include "seawall/log/recent_lines.h"

namespace seawall {
namespace {

LogTargets& main_targets() {
  static LogTargets targets{LogTarget{file_sink("stderr"), Level::notice}};
  return targets;
}

// "2026/11/24 10:00:00", composed once a second and thread.
std::string_view timestamp() {
  thread_local std::time_t second = -1;
  thread_local std::string text;
  const std::time_t now = std::time(nullptr);
  if (now == second) return text;
  second = now;
  tm parts;
  localtime_r(&now, &parts);
  char buffer[32];
  text.assign(buffer, std::strftime(buffer, sizeof buffer, "%Y/%m/%d %H:%M:%S", &parts));
  return text;
}

int thread_id() {
  thread_local pid_t process = 0;
  thread_local int id = 0;
  if (process != ::getpid()) {
    process = ::getpid();
    id = static_cast<int>(::syscall(SYS_gettid));
  }
  return id;
}

constexpr std::size_t kLongestLine = PIPE_BUF;

// Nothing that a client sends may begin a line of its own or move a terminal's cursor.
void append_escaped(std::string& line, std::string_view message) {
  constexpr std::size_t kEnd = 8;  // an escaped byte, "..." and the line's end
  for (const char c : message) {
    if (line.size() > kLongestLine - kEnd) {
      line += "...";
      return;
    }
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) line += c;
    else fmt::format_to(std::back_inserter(line), "\\x{:02X}", static_cast<unsigned char>(c));
  }
}

}  // namespace

const char* name_of(Level level) {
  static constexpr const char* names[] = {"emerg", "alert", "crit", "error", "warn", "notice", "info", "debug"};
  return names[static_cast<int>(level)];
}

void set_main_log(LogTargets targets) { main_targets() = std::move(targets); }
const LogTargets& main_log() { return main_targets(); }

bool logs_at(const LogTargets& targets, Level level) {
  for (const LogTarget& target : targets)
    if (level <= target.level) return true;
  return false;
}

void log(const LogTargets& targets, Level level, std::uint64_t connection, std::string_view message) {
  if (!logs_at(targets, level)) return;
  std::string line = fmt::format("{} [{}] {}#{}: ", timestamp(), name_of(level), ::getpid(), thread_id());
  if (connection) fmt::format_to(std::back_inserter(line), "*{} ", connection);
  append_escaped(line, message);
  line += '\n';
  note_line(level, line);
  for (const LogTarget& target : targets)
    if (level <= target.level) target.sink->write(level, line);
}

void log(Level level, std::string_view message) { log(main_log(), level, 0, message); }

}  // namespace seawall
