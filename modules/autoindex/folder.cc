#include "folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>

#include "seawall/server/open_file.h"

namespace seawall::autoindex {
namespace {

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

// Nothing: it is gone again, or it may not be looked at. Under disable_symlinks a link is shown as itself, as nothing that
// it leads to may be.
std::optional<struct stat> look_at(Exchange& x, int folder, const char* name, const std::string& path) {
  struct stat found;
  if (::fstatat(folder, name, &found, follows_symlinks(x) ? 0 : AT_SYMLINK_NOFOLLOW) == 0) return found;
  if (errno != ENOENT && errno != ELOOP) {
    x.log(Level::crit, "stat() \"" + path + "/" + name + "\" failed " + describe(system_error_code(errno)));
    return std::nullopt;
  }
  // A link that leads nowhere is shown as itself.
  if (::fstatat(folder, name, &found, AT_SYMLINK_NOFOLLOW) == 0) return found;
  return std::nullopt;
}

Entry entry_of(const char* name, const struct stat& found) {
  Entry entry;
  entry.name = name;
  if (S_ISDIR(found.st_mode)) entry.type = Entry::Type::folder;
  else if (S_ISREG(found.st_mode)) entry.type = Entry::Type::file;
  entry.modified = found.st_mtim.tv_sec;
  entry.size = found.st_size;
  return entry;
}

bool before(const Entry& a, const Entry& b) {
  if (a.is_folder() != b.is_folder()) return a.is_folder();
  return a.name < b.name;
}

}  // namespace

const char* Entry::type_name() const {
  switch (type) {
    case Type::folder: return "directory";
    case Type::file: return "file";
    case Type::other: break;
  }
  return "other";
}

Result<Entries> read_folder(Exchange& x, Fd fd, const std::string& path) {
  std::unique_ptr<DIR, CloseFolder> folder(::fdopendir(fd.get()));
  if (!folder) return system_error_code(errno);
  fd.release();
  Entries entries;
  for (;;) {
    errno = 0;
    const dirent* item = ::readdir(folder.get());
    if (!item && errno != 0) return system_error_code(errno);
    if (!item) break;
    if (item->d_name[0] == '.') continue;
    if (const auto found = look_at(x, ::dirfd(folder.get()), item->d_name, path))
      entries.push_back(entry_of(item->d_name, *found));
  }
  std::sort(entries.begin(), entries.end(), before);
  return entries;
}

}  // namespace seawall::autoindex
