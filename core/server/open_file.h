// What steps ask to know what a path names. Blocks for as long as the file system takes, as in nginx. Any loop.
#pragma once
#include <string>

#include "seawall/base/result.h"
#include "seawall/server/file.h"

namespace seawall {

class Exchange;

// Ready to be sent when it is a regular file. Never null.
SEAWALL_API Ref<File> open_file(Exchange& x, const std::string& path);
// Only looks whether something is there, and what (index, try_files). Never null.
SEAWALL_API Ref<File> test_file(Exchange& x, const std::string& path);
// To be read entry by entry; a folder that is none is ENOTDIR.
SEAWALL_API Result<Fd> open_folder(Exchange& x, const std::string& path);

// False where disable_symlinks is in force: then what links lead to is nobody's business.
SEAWALL_API bool follows_symlinks(const Exchange& x);

}  // namespace seawall
