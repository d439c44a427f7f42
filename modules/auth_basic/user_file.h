// auth_basic_user_file: lines of user:password, the rest of a line behind a second ':' ignored, '#' begins a comment. A file is
// read again when it has changed, which each request looks for. Of one loop, on whose thread the file is read.
#pragma once
#include <sys/stat.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "seawall/base/result.h"

namespace seawall::auth_basic {

// One file as it was when it was read.
class UserFile {
 public:
  UserFile(std::string text, const struct stat& status);
  UserFile(const UserFile&) = delete;
  UserFile& operator=(const UserFile&) = delete;

  // What is stored for the user; null: it is not there. The first line of a user counts.
  const std::string_view* find(std::string_view user) const;
  bool is_of(const struct stat& status) const;
  std::size_t size() const { return text_.size(); }

 private:
  const std::string text_;
  std::unordered_map<std::string_view, std::string_view> passwords_;  // views of text_
  const struct stat status_;
  bool reliable_;  // read long enough after its last change: a further one bears another time
};

class UserFiles {
 public:
  // Longer files are refused (file_too_large); this many bytes are kept at most.
  static constexpr std::size_t kLongest = 16 * 1024 * 1024, kKept = 2 * kLongest;

  // The file, as it is now. Errors: errno; `failed` is then the call.
  Result<std::shared_ptr<const UserFile>> get(const std::string& path, const char*& failed);

 private:
  void keep(const std::string& path, std::shared_ptr<const UserFile> file);

  std::map<std::string, std::shared_ptr<const UserFile>> files_;  // shared with who is reading one
  std::size_t kept_ = 0;
};

}  // namespace seawall::auth_basic
