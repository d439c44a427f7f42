#include "seawall/server/worker_folders.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "seawall/base/error.h"
#include "seawall/base/fd.h"
#include "seawall/log/log.h"

namespace seawall {
namespace {

std::set<std::string> noted;
uid_t owner_for_commands = static_cast<uid_t>(-1);

// Those above it, which stay root's.
void make_parents(const std::string& folder) {
  for (auto end = folder.find('/', 1); end != std::string::npos; end = folder.find('/', end + 1))
    if (::mkdir(folder.substr(0, end).c_str(), 0755) != 0 && errno != EEXIST) return;
}

bool make_for(const char* folder, uid_t owner) {
  if (::mkdir(folder, 0700) != 0 && errno == ENOENT) make_parents(folder);
  if (::mkdir(folder, 0700) != 0 && errno != EEXIST) return false;
  const Fd fd(::open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat file;
  if (!fd || ::fstat(fd.get(), &file) != 0) return false;
  return file.st_uid == owner || ::fchown(fd.get(), owner, static_cast<gid_t>(-1)) == 0;
}

}  // namespace

void note_worker_folder(const std::string& path) { noted.insert(path); }

std::set<std::string> take_worker_folders() { return std::exchange(noted, {}); }

void set_worker_folder_owner(uid_t owner) { owner_for_commands = owner; }

uid_t worker_folder_owner() { return owner_for_commands; }

void make_worker_folders(const std::set<std::string>& folders, uid_t owner) {
  if (owner == 0 || owner == static_cast<uid_t>(-1)) return;
  for (const std::string& folder : folders)
    if (!make_for(folder.c_str(), owner))
      log(Level::crit, "the folder \"" + folder + "\" cannot be made for the worker: " + describe(system_error_code(errno)));
}

}  // namespace seawall
