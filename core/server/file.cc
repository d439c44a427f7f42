#include "seawall/server/file.h"

#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <ctime>

#include "seawall/http/date.h"

namespace seawall {
namespace {

// The coarsest grain of file times that is in use (FAT's); the kernel's own clock for them ticks every 1 to 10 ms.
constexpr std::int64_t kGrain = 2'000'000'000;

std::int64_t nanoseconds(const timespec& t) { return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec; }

// nginx's: "5e2b9f1a-2d", hexadecimal seconds and length.
std::string etag_of(const FileStamp& stamp) {
  char text[40] = "\"";
  char* const end = text + sizeof text - 2;  // room for what follows each number
  char* at = std::to_chars(text + 1, end, stamp.modified / 1'000'000'000, 16).ptr;
  *at++ = '-';
  at = std::to_chars(at, end, stamp.size, 16).ptr;
  *at++ = '"';
  return std::string(text, at);
}

}  // namespace

FileRefusal refusal_of(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG: return {404, Level::error};
    case EACCES:
    case EMLINK:
    case ELOOP: return {403, Level::error};
    default: return {500, Level::crit};
  }
}

FileStamp::FileStamp(const struct stat& s)
    : device(s.st_dev), inode(s.st_ino), size(s.st_size), modified(nanoseconds(s.st_mtim)), changed(nanoseconds(s.st_ctim)),
      mode(s.st_mode) {}

bool FileStamp::is_old() const {
  timespec now;
  ::clock_gettime(CLOCK_REALTIME, &now);
  return nanoseconds(now) - changed > kGrain;
}

File::File(const FileStamp& stamp, Fd fd, std::int64_t small) : stamp_(stamp) {
  if (!is_regular()) return;
  etag_ = etag_of(stamp);
  last_modified_ = http_date(modified());
  if (stamp.size > small || !read_contents(fd.get())) open_ = std::make_shared<OpenFile>(std::move(fd));
  else reliable_ = stamp.is_old();
}

// False when the file does not give what its length promises: sending it then finds out how it ends.
bool File::read_contents(int fd) {
  const auto length = static_cast<std::size_t>(stamp_.size);
  Ref<Block> block = Block::make(length);
  for (std::size_t have = 0; have < length;) {
    const ssize_t n = ::pread(fd, block->data() + have, length - have, static_cast<off_t>(have));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    have += static_cast<std::size_t>(n);
  }
  contents_ = std::move(block);
  return true;
}

std::string File::failure(std::string_view path) const {
  return std::string(failed_).append(" \"").append(path).append("\" failed ") + describe(system_error_code(error_));
}

Body File::body() {
  if (open_) return FilePart(open_, 0, size());
  add_ref();
  return Slice(Ref<Owner>(this), std::string_view(contents_->data(), static_cast<std::size_t>(size())));
}

}  // namespace seawall
