#include "seawall/log/log_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <stdexcept>
#include <vector>

#include "seawall/base/error.h"
#include "seawall/log/log.h"

namespace seawall {
namespace {

constexpr std::time_t kBetweenComplaints = 60;

std::mutex registry;
std::map<std::string, std::weak_ptr<LogFile>>& files() {
  static std::map<std::string, std::weak_ptr<LogFile>> all;
  return all;
}
std::vector<HeldLines*>& holders() {
  static std::vector<HeldLines*> all;
  return all;
}

std::string reason() { return " failed " + describe(system_error_code(errno)); }

Fd open_log(const std::string& path) { return Fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644)); }

// The worker, who may be nobody special, must be able to open what the supervisor has just created.
void give_to(int fd, const std::string& path, uid_t owner) {
  struct stat info;
  if (::fstat(fd, &info) < 0 || !S_ISREG(info.st_mode)) return;
  if (info.st_uid != owner && ::fchown(fd, owner, static_cast<gid_t>(-1)) < 0)
    log(Level::emerg, "chown(\"" + path + "\", " + std::to_string(owner) + ")" + reason());
  constexpr mode_t own = S_IRUSR | S_IWUSR;
  if ((info.st_mode & own) != own && ::fchmod(fd, info.st_mode | own) < 0) log(Level::emerg, "chmod(\"" + path + "\")" + reason());
}

}  // namespace

std::shared_ptr<LogFile> LogFile::open(const std::string& path) {
  std::lock_guard lock(registry);
  auto& known = files()[path];
  std::shared_ptr<LogFile> file = known.lock();
  if (file) return file;
  Fd fd = open_log(path);
  if (!fd) throw std::runtime_error("open() \"" + path + "\"" + reason());
  known = file = std::make_shared<LogFile>(path, std::move(fd));
  return file;
}

LogFile::LogFile(std::string path, Fd fd) : path_(std::move(path)), fd_(std::move(fd)) {
  struct stat info;
  is_pipe_ = ::fstat(fd_.get(), &info) == 0 && S_ISFIFO(info.st_mode);
}

// O_APPEND makes a whole write atomic against all others; on a pipe that is so up to PIPE_BUF only.
Result<void> LogFile::append(std::string_view lines) {
  std::unique_lock lock(whole_lines_, std::defer_lock);
  if (is_pipe_) lock.lock();
  ssize_t n;
  do n = ::write(fd_.get(), lines.data(), lines.size());
  while (n < 0 && errno == EINTR);
  if (n < 0) return system_error_code(errno);
  if (static_cast<std::size_t>(n) < lines.size()) return Errc::truncated;
  return {};
}

void LogFile::write(std::string_view lines) {
  if (const auto full = full_at_.load(std::memory_order_relaxed); full != 0 && full == std::time(nullptr)) return;
  const Result<void> done = append(lines);
  if (done) return;
  if (done.error() == std::errc::no_space_on_device) full_at_.store(std::time(nullptr), std::memory_order_relaxed);
  if (done.error() == Errc::truncated) complain("write() to \"" + path_ + "\" was incomplete");
  else complain("write() to \"" + path_ + "\" failed " + describe(done.error()));
}

void LogFile::complain(const std::string& what) {
  const std::time_t now = std::time(nullptr);
  std::time_t last = complained_at_.load(std::memory_order_relaxed);
  if (now - last < kBetweenComplaints || !complained_at_.compare_exchange_strong(last, now)) return;
  log(Level::alert, what);
}

// A thread that is writing meanwhile writes to either file, whole.
void LogFile::reopen(uid_t owner) {
  const Fd fresh = open_log(path_);
  if (!fresh) return log(Level::emerg, "open() \"" + path_ + "\"" + reason());
  if (owner != static_cast<uid_t>(-1)) give_to(fresh.get(), path_, owner);
  if (::dup3(fresh.get(), fd_.get(), O_CLOEXEC) < 0) log(Level::emerg, "dup3() of \"" + path_ + "\"" + reason());
}

HeldLines::HeldLines(std::function<void()> flush) : flush(std::move(flush)) {
  std::lock_guard lock(registry);
  holders().push_back(this);
}

HeldLines::~HeldLines() {
  std::lock_guard lock(registry);
  holders().erase(std::find(holders().begin(), holders().end(), this));
}

void reopen_logs(uid_t owner) {
  std::lock_guard lock(registry);
  for (HeldLines* holder : holders()) holder->flush();
  for (auto& [path, known] : files())
    if (const auto file = known.lock()) file->reopen(owner);
}

}  // namespace seawall
