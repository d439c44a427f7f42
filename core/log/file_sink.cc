// Where the lines of the error log go: a file, standard error, or a syslog server. One write or datagram a line.
#include <unistd.h>

#include <cerrno>
#include <map>
#include <mutex>
#include <tuple>

#include "seawall/base/error.h"
#include "seawall/log/log.h"
#include "seawall/log/log_file.h"

namespace seawall {
namespace {

// A line that cannot be written is lost without a word: there is no other place to say so.
class FileSink final : public LogSink {
 public:
  explicit FileSink(std::shared_ptr<LogFile> file) : file_(std::move(file)) {}
  void write(Level, std::string_view line) override { std::ignore = file_->append(line); }

 private:
  const std::shared_ptr<LogFile> file_;
};

class StderrSink final : public LogSink {
 public:
  void write(Level, std::string_view line) override {
    ssize_t n;
    do n = ::write(STDERR_FILENO, line.data(), line.size());
    while (n < 0 && errno == EINTR);
  }
};

std::mutex mutex;
std::map<std::string, std::weak_ptr<LogSink>>& sinks() {
  static std::map<std::string, std::weak_ptr<LogSink>> all;
  return all;
}

}  // namespace

std::shared_ptr<LogSink> file_sink(const std::string& path) {
  std::lock_guard lock(mutex);
  auto& known = sinks()[path];
  std::shared_ptr<LogSink> sink = known.lock();
  if (sink) return sink;
  if (path == "stderr") sink = std::make_shared<StderrSink>();
  else sink = std::make_shared<FileSink>(LogFile::open(path));
  known = sink;
  return sink;
}

bool logs_to_stderr() {
  std::lock_guard lock(mutex);
  const auto known = sinks().find("stderr");
  return known != sinks().end() && !known->second.expired();
}

}  // namespace seawall
