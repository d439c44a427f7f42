#include "seawall/base/process_id.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <string_view>

#include "seawall/base/fd.h"
#include "seawall/base/text.h"

namespace seawall {
namespace {

constexpr int kStarted = 22;  // the field of proc_pid_stat(5)

class Seen {
 public:
  bool ended = false;
  std::uint64_t started = 0;
};

// "PID (NAME) STATE ...": the name may hold anything.
Seen look(pid_t pid) {
  Seen seen;
  char text[1024];
  const Fd file(::open(("/proc/" + std::to_string(pid) + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
  const ssize_t n = file ? ::read(file.get(), text, sizeof text) : -1;
  if (n <= 0) return seen;
  std::string_view fields(text, static_cast<std::size_t>(n));
  const auto name_end = fields.rfind(") ");
  if (name_end == std::string_view::npos) return seen;
  fields.remove_prefix(name_end + 2);
  seen.ended = fields.starts_with('Z') || fields.starts_with('X');
  for (int field = 3; field < kStarted; ++field) fields.remove_prefix(std::min(fields.find(' ') + 1, fields.size()));
  seen.started = parse_decimal(fields.substr(0, fields.find(' '))).value_or(0);
  return seen;
}

}  // namespace

ProcessId ProcessId::current() {
  ProcessId id;
  id.pid = ::getpid();
  id.started = look(id.pid).started;
  return id;
}

bool ProcessId::alive() const {
  if (::kill(pid, 0) != 0) return errno == EPERM;
  const Seen seen = look(pid);
  return !seen.ended && (seen.started == 0 || started == 0 || seen.started == started);
}

}  // namespace seawall
