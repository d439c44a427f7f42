// The error log's syslog targets.
#include <atomic>
#include <ctime>

#include "seawall/base/error.h"
#include "seawall/log/log.h"
#include "seawall/log/syslog.h"

namespace seawall {
namespace {

constexpr std::time_t kBetweenComplaints = 60;

class SyslogSink final : public LogSink {
 public:
  explicit SyslogSink(std::string_view parameters) : syslog_(parameters) {}

  bool is_file() const override { return false; }

  // What this has to say about itself may come back here.
  void write(Level level, std::string_view line) override {
    thread_local bool complaining = false;
    if (complaining) return;
    const Result<void> sent = syslog_.send(level, line.substr(0, line.size() - 1));
    if (sent) return;
    const std::time_t now = std::time(nullptr);
    std::time_t last = complained_at_.load();
    if (now - last < kBetweenComplaints || !complained_at_.compare_exchange_strong(last, now)) return;
    complaining = true;
    log(Level::alert, "send() failed " + describe(sent.error()) + " while logging to syslog, server: " + syslog_.server());
    complaining = false;
  }

 private:
  Syslog syslog_;
  std::atomic<std::time_t> complained_at_{0};
};

}  // namespace

std::shared_ptr<LogSink> syslog_sink(std::string_view parameters) { return std::make_shared<SyslogSink>(parameters); }

}  // namespace seawall
