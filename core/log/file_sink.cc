// Log files: one sink a path, one write(2) a line, reopened by USR1.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <mutex>
#include <stdexcept>
#include <system_error>

#include "seawall/base/error.h"
#include "seawall/base/fd.h"
#include "seawall/log/log.h"

namespace seawall {
namespace {

Fd open_log(const std::string& path) { return Fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644)); }

class FileSink final : public LogSink {
 public:
  explicit FileSink(std::string path) : path_(std::move(path)) {
    if (path_ == "stderr") return;
    fd_ = open_log(path_);
    if (!fd_) throw std::runtime_error("open() \"" + path_ + "\" failed " + describe(system_error_code(errno)));
  }
  // O_APPEND makes a whole write atomic against other writers. A full disk loses the line, never the server.
  void write(Level, std::string_view line) override {
    const int fd = fd_ ? fd_.get() : STDERR_FILENO;
    ssize_t n;
    do n = ::write(fd, line.data(), line.size());
    while (n < 0 && errno == EINTR);
  }
  // The new file takes the old one's number: a thread that is writing meanwhile writes to either, whole.
  void reopen() override {
    if (!fd_) return;
    if (Fd fresh = open_log(path_)) ::dup3(fresh.get(), fd_.get(), O_CLOEXEC);
    else log(Level::emerg, "open() \"" + path_ + "\" failed " + describe(system_error_code(errno)));
  }

 private:
  const std::string path_;
  Fd fd_;  // none: standard error
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
  if (!sink) known = sink = std::make_shared<FileSink>(path);
  return sink;
}

void reopen_logs() {
  std::lock_guard lock(mutex);
  for (auto& [path, known] : sinks())
    if (const auto sink = known.lock()) sink->reopen();
}

}  // namespace seawall
