// Folders that the workers write to: those of temporary files and of caches. They are noted while a configuration is read, which
// keeps them; a worker makes those that are missing and gives them to its user while it still may (nginx's master does, at its
// start). Start-up only; one thread.
#pragma once
#include <sys/types.h>

#include <set>
#include <string>

#include "seawall/base/export.h"

namespace seawall {

// A whole path. The same one may come often.
SEAWALL_API void note_worker_folder(const std::string& path);
// Those noted since the last call.
std::set<std::string> take_worker_folders();
// For a user other than root; for others they are made when they are first used. One that cannot be had is said in the log. A link
// is not followed: its place may be the worker's to write to.
SEAWALL_API void make_worker_folders(const std::set<std::string>& folders, uid_t owner);

// Whose they are, for a module's own command, which may be the first to need one; -1: nobody's but ours.
void set_worker_folder_owner(uid_t owner);
SEAWALL_API uid_t worker_folder_owner();

}  // namespace seawall
