#include "user_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "seawall/base/fd.h"

namespace seawall::auth_basic {
namespace {

std::pair<std::int64_t, std::int64_t> moment(const timespec& t) { return {t.tv_sec, t.tv_nsec}; }

Result<std::string> read_all(const Fd& fd, std::size_t expected) {
  std::string text;
  for (;;) {
    const std::size_t had = text.size();
    if (had > UserFiles::kLongest) return system_error_code(EFBIG);
    text.resize(had + std::max<std::size_t>(expected + 1 - std::min(had, expected), 4096));
    const ssize_t n = ::read(fd.get(), text.data() + had, text.size() - had);
    text.resize(had + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    if (n == 0) return text;
    if (n < 0 && errno != EINTR) return system_error_code(errno);
  }
}

// user:password[:...]
void add_line(std::string_view line, std::unordered_map<std::string_view, std::string_view>& passwords) {
  if (line.starts_with('#') || line.starts_with('\r')) return;
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return;
  std::string_view stored = line.substr(colon + 1);
  stored = stored.substr(0, stored.find_first_of(":\r"));
  passwords.emplace(line.substr(0, colon), stored);
}

}  // namespace

UserFile::UserFile(std::string text, const struct stat& status)
    : text_(std::move(text)), status_(status), reliable_(std::time(nullptr) > status.st_ctim.tv_sec + 2) {
  std::string_view rest(text_);
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    add_line(line, passwords_);
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  }
}

const std::string_view* UserFile::find(std::string_view user) const {
  const auto found = passwords_.find(user);
  return found == passwords_.end() ? nullptr : &found->second;
}

bool UserFile::is_of(const struct stat& now) const {
  return reliable_ && now.st_dev == status_.st_dev && now.st_ino == status_.st_ino && now.st_size == status_.st_size &&
         now.st_mode == status_.st_mode && moment(now.st_mtim) == moment(status_.st_mtim) &&
         moment(now.st_ctim) == moment(status_.st_ctim);
}

Result<std::shared_ptr<const UserFile>> UserFiles::get(const std::string& path, const char*& failed) {
  struct stat status;
  const auto known = files_.find(path);
  if (known != files_.end() && ::stat(path.c_str(), &status) == 0 && known->second->is_of(status)) return known->second;
  failed = "open()";
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return system_error_code(errno);
  failed = "fstat()";
  if (::fstat(fd.get(), &status) != 0) return system_error_code(errno);
  failed = "read()";
  Result<std::string> text = read_all(fd, std::min(static_cast<std::size_t>(status.st_size), kLongest));
  if (!text) return text.error();
  auto file = std::make_shared<const UserFile>(std::move(*text), status);
  keep(path, file);
  return file;
}

// Paths may have variables in them: what clients can choose is bounded, too.
void UserFiles::keep(const std::string& path, std::shared_ptr<const UserFile> file) {
  if (kept_ + file->size() > kKept || files_.size() >= 256) {
    files_.clear();
    kept_ = 0;
  }
  auto& place = files_[path];
  if (place) kept_ -= place->size();
  kept_ += file->size();
  place = std::move(file);
}

}  // namespace seawall::auth_basic
