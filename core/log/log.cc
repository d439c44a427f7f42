#include "seawall/log/log.h"

#include <algorithm>
#include <chrono>

#include "seawall/log/log_form.h"
#include "seawall/log/log_line.h"
#include "seawall/log/recent_lines.h"

namespace seawall {
namespace {

LogTargets& main_targets() {
  static LogTargets targets{LogTarget{file_sink("stderr"), Level::notice}};
  return targets;
}

// One message in the forms that somebody wants, each composed once.
class Line {
 public:
  Line(Level level, const LogAbout& about, std::string_view message) : level_(level), about_(about), message_(message) {}
  const std::string& text(bool with_id) {
    std::string& line = text_[with_id && !about_.request_id.empty()];
    if (line.empty()) line = text_line(level_, about_, message_, with_id);
    return line;
  }
  const std::string& in_form_of(const LogForm* form) {
    if (!form || !form->json) return text(form && form->request_id);
    if (json_.empty()) json_ = json_line(level_, about_, message_);
    return json_;
  }

 private:
  const Level level_;
  const LogAbout& about_;
  const std::string_view message_;
  std::string text_[2], json_;
};

const LogForm* form_of(const LogTarget& target) { return dynamic_cast<const LogForm*>(target.sink.get()); }

// Whether the rate lets the line go; then it is told, too, what did not before.
bool keeps_rate(LogSink& sink, const LogForm& form, Level level, std::string_view message) {
  const std::int64_t now = std::chrono::steady_clock::now().time_since_epoch().count();
  if (!form.limit->takes(level, message, now)) return false;
  for (const LogLimit::LeftOut& before : form.limit->take_left_out(now))
    sink.write(before.level, Line(before.level, {}, before.text).in_form_of(&form));
  return true;
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

bool wants_request_id(const LogTargets& targets, Level level) {
  return std::any_of(targets.begin(), targets.end(), [level](const LogTarget& target) {
    const LogForm* const form = level <= target.level ? form_of(target) : nullptr;
    return form && (form->json || form->request_id);
  });
}

void log(const LogTargets& targets, Level level, const LogAbout& about, std::string_view message) {
  if (!logs_at(targets, level)) return;
  Line line(level, about, message);
  if (keeps_lines(level)) note_line(level, line.text(false));
  for (const LogTarget& target : targets) {
    if (level > target.level) continue;
    const LogForm* const form = form_of(target);
    if (!form || !form->limit || keeps_rate(*target.sink, *form, level, message)) target.sink->write(level, line.in_form_of(form));
  }
}

void log(const LogTargets& targets, Level level, std::uint64_t connection, std::string_view message) {
  LogAbout about;
  about.connection = connection;
  log(targets, level, about, message);
}

void log(Level level, std::string_view message) { log(main_log(), level, 0, message); }

}  // namespace seawall
