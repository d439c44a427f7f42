#include "seawall/server/worker_folders.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <set>

#include "seawall/base/error.h"
#include "seawall/log/log.h"

namespace seawall {
namespace {

std::set<std::string>& folders() {
  static std::set<std::string> all;
  return all;
}

bool make_for(const char* folder, uid_t owner) {
  struct stat file;
  if (::mkdir(folder, 0700) != 0 && errno != EEXIST) return false;
  if (::stat(folder, &file) != 0) return false;
  return file.st_uid == owner || ::chown(folder, owner, static_cast<gid_t>(-1)) == 0;
}

}  // namespace

void note_worker_folder(const std::string& path) { folders().insert(path); }

void make_worker_folders(uid_t owner) {
  if (owner == 0 || owner == static_cast<uid_t>(-1)) return;
  for (const std::string& folder : folders())
    if (!make_for(folder.c_str(), owner))
      log(Level::crit, "the folder \"" + folder + "\" cannot be made for the worker: " + describe(system_error_code(errno)));
}

}  // namespace seawall
