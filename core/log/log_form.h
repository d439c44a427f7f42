// What a line of the error log says besides its message, and LogForm: a sink in front of another, for an error_log whose parameters
// ask for more than nginx's text (JSON, the request's id, a rate). log() composes for each target what its sink wants.
#pragma once
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "seawall/log/log.h"
#include "seawall/log/log_limit.h"

namespace seawall {

// Text: `*7 message, client: 10.0.0.1, request: "GET / HTTP/1.1"`; JSON: members.
class LogField {
 public:
  const char* name;
  std::string_view value;
  bool quoted = true;  // in text
};
class LogAbout {
 public:
  std::uint64_t connection = 0;  // nginx's *N; 0: none
  std::string_view request_id, trace_id, span_id;  // of the last two JSON alone tells
  std::span<const LogField> fields;
};
// A line is at most PIPE_BUF bytes long: what is cut ends in "...", and one of JSON stays an object.
SEAWALL_API void log(const LogTargets& targets, Level level, const LogAbout& about, std::string_view message);
// Does anybody who listens at this level want the request's id?
SEAWALL_API bool wants_request_id(const LogTargets& targets, Level level);

class LogForm final : public LogSink {
 public:
  explicit LogForm(std::shared_ptr<LogSink> sink) : sink_(std::move(sink)) {}
  bool json = false;                 // one object a line
  bool request_id = false;           // also in a line of text; in JSON it always is
  std::unique_ptr<LogLimit> limit;   // null: every line

  void write(Level level, std::string_view line) override { sink_->write(level, line); }
  bool is_file() const override { return sink_->is_file(); }
  const std::shared_ptr<LogSink>& behind() const { return sink_; }

 private:
  const std::shared_ptr<LogSink> sink_;
};

}  // namespace seawall
