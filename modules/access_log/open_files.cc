#include "open_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "seawall/base/error.h"
#include "seawall/base/text.h"
#include "seawall/server/open_file.h"

namespace seawall::access_log {
namespace {

constexpr std::int64_t kBetweenComplaints = 60'000'000'000;

std::int64_t nanoseconds(std::chrono::milliseconds time) { return std::chrono::nanoseconds(time).count(); }

std::string reason() { return " failed " + describe(system_error_code(errno)); }

// A FIFO that somebody has put there must not stop the loop. Under disable_symlinks neither the folder nor the file may be
// reached by a link.
Fd open_to_append(Exchange& x, const std::string& path) {
  constexpr int flags = O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC;
  if (follows_symlinks(x)) return Fd(::open(path.c_str(), flags, 0644));
  const auto slash = path.rfind('/');
  const Result<Fd> folder = open_folder(x, path.substr(0, std::max<std::size_t>(slash, 1)));
  if (!folder) {
    errno = folder.error().value();
    return Fd();
  }
  return Fd(::openat(folder->get(), path.c_str() + slash + 1, flags | O_NOFOLLOW, 0644));
}

}  // namespace

CacheRule::CacheRule(const Invocation& in) {
  for (const std::string& word : in.args()) {
    const auto equals = word.find('=');
    const std::string name = word.substr(0, equals), value = equals == word.npos ? "" : word.substr(equals + 1);
    const auto number = parse_decimal(value);
    const auto time = value == "off" ? std::nullopt : time_of(value);
    if (word == "off") {
      max = 0;
      return;
    }
    if (name == "max" && number) max = static_cast<std::size_t>(*number);
    else if (name == "min_uses" && number) min_uses = static_cast<std::int64_t>(*number);
    else if (name == "inactive" && time) inactive = *time;
    else if (name == "valid" && time) valid = *time;
    else throw ConfigError("invalid \"open_log_file_cache\" parameter \"" + word + "\"");
  }
  if (max == 0) throw ConfigError("\"open_log_file_cache\" must have \"max\" parameter");
}

void OpenFiles::forget(Files::iterator file) {
  by_path_.erase(file->path);
  files_.erase(file);
}

OpenFiles::Files::iterator OpenFiles::find(const std::string& path, std::int64_t now) {
  while (!files_.empty() && now - files_.back().used > nanoseconds(rule_.inactive)) forget(std::prev(files_.end()));
  if (const auto known = by_path_.find(path); known != by_path_.end()) {
    files_.splice(files_.begin(), files_, known->second);
    return known->second;
  }
  while (!files_.empty() && files_.size() >= rule_.max) forget(std::prev(files_.end()));
  files_.emplace_front().path = path;
  by_path_[files_.front().path] = files_.begin();
  return files_.begin();
}

bool OpenFiles::open(Exchange& x, File& file) {
  file.fd = open_to_append(x, file.path);
  struct stat info;
  if (!file.fd || ::fstat(file.fd.get(), &info) < 0) {
    x.log(Level::crit, "open() \"" + file.path + "\"" + reason());
    return false;
  }
  file.device = info.st_dev;
  file.inode = info.st_ino;
  file.checked = x.loop.now();
  return true;
}

void OpenFiles::write(Exchange& x, const std::string& path, std::string_view line) {
  const std::int64_t now = x.loop.now();
  if (reopen_.exchange(false)) {
    by_path_.clear();
    files_.clear();
  }
  const auto file = find(path, now);
  file->used = now;
  ++file->uses;
  if (file->fd && now - file->checked > nanoseconds(rule_.valid)) {
    struct stat info;
    const bool same = ::stat(path.c_str(), &info) == 0 && info.st_dev == file->device && info.st_ino == file->inode;
    if (same) file->checked = now;
    else file->fd.reset();
  }
  if (!file->fd && !open(x, *file)) return forget(file);
  const ssize_t n = ::write(file->fd.get(), line.data(), line.size());
  if (n != static_cast<ssize_t>(line.size()) && (complained_ == 0 || now - complained_ > kBetweenComplaints)) {
    complained_ = now;
    x.log(Level::alert, "write() to \"" + path + "\"" + (n < 0 ? reason() : " was incomplete"));
  }
  if (rule_.max == 0) forget(file);
  else if (file->uses < rule_.min_uses) file->fd.reset();
}

}  // namespace seawall::access_log
