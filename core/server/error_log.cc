#include "seawall/server/error_log.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "seawall/base/text.h"
#include "seawall/log/log_form.h"

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

// rate=N/s or N/m
std::unique_ptr<LogLimit> limit_of(const std::string& word) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  const std::string_view rate = std::string_view(word).substr(5);
  const auto slash = rate.find('/');
  const auto lines = parse_decimal(rate.substr(0, slash));
  const std::string_view unit = slash == rate.npos ? "" : rate.substr(slash + 1);
  if (!lines || *lines == 0 || (unit != "s" && unit != "m")) throw ConfigError("invalid rate \"" + word + "\"");
  return std::make_unique<LogLimit>(*lines, unit == "s" ? kSecond : 60 * kSecond);
}

bool is_ours(std::string_view word) { return word == "request_id" || word.starts_with("rate=") || word.starts_with("format="); }

// Parameters of ours.
void take_parameter(LogForm& form, const std::string& word) {
  if (word.starts_with("rate=")) {
    if (form.limit) throw ConfigError("duplicate \"rate\" parameter");
    form.limit = limit_of(word);
  } else if (word == "request_id") {
    form.request_id = true;
  } else {
    if (word != "format=json" && word != "format=text") throw ConfigError("invalid log format \"" + word.substr(7) + "\"");
    form.json = word == "format=json";
  }
}

Level level_of(const Invocation& in) {
  std::optional<Level> level;
  bool in_parts = false;
  for (std::size_t i = 1; i < in.args().size(); ++i) {
    const std::string& word = in.arg(i);
    if (is_ours(word)) continue;
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
  if (std::any_of(in.args().begin() + 1, in.args().end(), is_ours)) {
    auto form = std::make_shared<LogForm>(std::move(target.sink));
    for (std::size_t i = 1; i < in.args().size(); ++i)
      if (is_ours(in.arg(i))) take_parameter(*form, in.arg(i));
    target.sink = std::move(form);
  }
  targets.push_back(std::move(target));
}

}  // namespace seawall
