#include "seawall/server/error_log.h"

#include <algorithm>
#include <iterator>
#include <optional>

namespace seawall {
namespace {

// Parts of nginx's debug log: all of it here.
constexpr std::string_view kDebugParts[] = {"debug_core", "debug_alloc", "debug_mutex", "debug_event",
                                            "debug_http", "debug_mail",  "debug_stream"};

std::optional<Level> level_named(std::string_view word) {
  for (int level = 0; level <= static_cast<int>(Level::debug); ++level)
    if (word == name_of(static_cast<Level>(level))) return static_cast<Level>(level);
  return std::nullopt;
}

Level level_of(const Invocation& in) {
  std::optional<Level> level;
  bool in_parts = false;
  for (std::size_t i = 1; i < in.args().size(); ++i) {
    const std::string& word = in.arg(i);
    if (const auto named = level_named(word)) {
      if (level) throw ConfigError("duplicate log level \"" + word + "\"");
      level = named;
      continue;
    }
    if (std::find(std::begin(kDebugParts), std::end(kDebugParts), word) == std::end(kDebugParts) || (level && !in_parts))
      throw ConfigError("invalid log level \"" + word + "\"");
    level = Level::debug;
    in_parts = true;
  }
  return level.value_or(Level::error);
}

}  // namespace

void append_error_log(LogTargets& targets, const Invocation& in) {
  LogTarget target;
  target.level = level_of(in);
  const std::string& where = in.arg(0);
  if (where.starts_with("memory:")) throw ConfigError("\"memory:\" logs are not supported");
  try {
    if (where.starts_with("syslog:")) target.sink = syslog_sink(std::string_view(where).substr(7));
    else target.sink = file_sink(where == "stderr" ? where : in.prefixed(where));
  } catch (const std::exception& error) {
    throw ConfigError(error.what());
  }
  targets.push_back(std::move(target));
}

}  // namespace seawall
