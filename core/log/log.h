// The error log: one function, nginx's levels and line format, exactly one write(2) a line. Sinks are set from the
// error_log directives of the configuration; until then everything goes to stderr. Any thread.
//
//   2026/11/24 10:00:00 [error] 123#124: *7 open() "/x" failed (2: No such file or directory), client: 127.0.0.1, ...
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "seawall/base/export.h"

namespace seawall {

enum class Level : std::uint8_t { emerg, alert, crit, error, warn, notice, info, debug };
SEAWALL_API const char* name_of(Level level);

// Where lines go: a file (log_file.h), stderr or syslog.
class SEAWALL_API LogSink {
 public:
  virtual ~LogSink() = default;
  virtual void write(Level level, std::string_view line) = 0;  // a whole line with its '\n'
  virtual bool is_file() const { return true; }                // standard error is one, too
};

// What one error_log directive says; a block without one has its outer block's list.
class LogTarget {
 public:
  std::shared_ptr<LogSink> sink;
  Level level = Level::error;  // this and more severe
};
using LogTargets = std::vector<LogTarget>;

// The process-wide targets (main context), used where no request is known.
SEAWALL_API void set_main_log(LogTargets targets);
SEAWALL_API const LogTargets& main_log();

// Is anybody listening at this level? Ask before composing an expensive line.
SEAWALL_API bool logs_at(const LogTargets& targets, Level level);

// Writes one line to every target that takes this level. `connection` is nginx's *N, 0 for none. Control characters in
// the message are escaped (\x0A), so that nothing a client sends can forge a line. A line is at most PIPE_BUF (4096) bytes
// long, so that it goes into a pipe whole (nginx: 2048).
SEAWALL_API void log(const LogTargets& targets, Level level, std::uint64_t connection, std::string_view message);
SEAWALL_API void log(Level level, std::string_view message);  // to the main targets

// The sink of a path ("stderr" or a file, opened for append at once; throws std::system_error). The same path gives the
// same sink, so that two directives never interleave halves of lines.
SEAWALL_API std::shared_ptr<LogSink> file_sink(const std::string& path);
// Whether somebody holds file_sink("stderr").
SEAWALL_API bool logs_to_stderr();
// "syslog:server=...,facility=...,tag=...,severity=...,nohostname"; throws std::invalid_argument in nginx's wording.
SEAWALL_API std::shared_ptr<LogSink> syslog_sink(std::string_view parameters);

}  // namespace seawall
