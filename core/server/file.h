// File: what a path named when it was looked at: a regular file ready to be sent, a directory, something else, or the
// reason why it could not be opened. Shared by the loop's cache and the responses made of it; never changes: a file that
// has changed is another File. One loop.
#pragma once
#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "seawall/base/buffer.h"
#include "seawall/http/body.h"
#include "seawall/log/log.h"

namespace seawall {

// What tells one state of a file from another: a file that was replaced, written to or given other rights differs.
class SEAWALL_API FileStamp {
 public:
  FileStamp() = default;
  explicit FileStamp(const struct stat& s);
  bool operator==(const FileStamp&) const = default;
  // The last change was long enough ago for the next one to bear another time.
  bool is_old() const;

  std::uint64_t device = 0, inode = 0;
  std::int64_t size = 0;
  std::int64_t modified = 0, changed = 0;  // ns since 1970: of the content; of content, name, rights
  std::uint32_t mode = 0;
};

// nginx's answer to a path that cannot be had, and the level of the error line: 404 and 403 are the client's affair.
class FileRefusal {
 public:
  int status;
  Level level;
};
SEAWALL_API FileRefusal refusal_of(int error);

class SEAWALL_API File final : public Owner {
 public:
  // Contents up to this size are read when the file is opened; larger ones stay in the file. Over TLS without HTTP/2 more is
  // read: bytes that are encrypted here are not sent by sendfile, and reading them once for many responses is cheaper.
  static constexpr std::int64_t kSmall = 64 * 1024, kSmallForTls = 256 * 1024;

  // Nothing to be had: errno, and the call that said so ("open()").
  File(int error, const char* failed) : error_(error), failed_(failed) {}
  // Looked at, not opened.
  explicit File(const FileStamp& stamp) : stamp_(stamp) {}
  // Opened; contents up to `small` bytes are read and `fd` closed.
  File(const FileStamp& stamp, Fd fd, std::int64_t small = kSmall);

  int error() const { return error_; }            // 0: there is something
  bool is_directory() const { return error_ == 0 && S_ISDIR(stamp_.mode); }
  bool is_regular() const { return error_ == 0 && S_ISREG(stamp_.mode); }
  // nginx's words: open() "PATH" failed (2: No such file or directory).
  std::string failure(std::string_view path) const;

  std::int64_t modified() const { return stamp_.modified / 1'000'000'000; }  // seconds since 1970
  const FileStamp& stamp() const { return stamp_; }
  // False when the contents were read so soon after a change that a second one may bear the same time: then the stamp
  // does not tell whether they are still those of the file.
  bool is_reliable() const { return reliable_; }
  // Bytes that the contents take; 0 when they stayed in the file.
  std::size_t memory() const { return contents_ ? contents_->capacity() + sizeof *this : 0; }
  std::uint64_t size() const { return static_cast<std::uint64_t>(stamp_.size); }
  // As their fields say them; of opened files.
  std::string_view etag() const { return etag_; }
  std::string_view last_modified() const { return last_modified_; }
  bool is_open() const { return open_ != nullptr; }  // holds a descriptor
  // The whole content; of opened regular files.
  Body body();

 private:
  bool read_contents(int fd);

  int error_ = 0;
  const char* failed_ = "";
  bool reliable_ = true;
  FileStamp stamp_;
  std::string etag_, last_modified_;
  Ref<Block> contents_;             // of a small file
  std::shared_ptr<OpenFile> open_;  // of any other
};

}  // namespace seawall
