// Files without a name, for what is too large for memory: bodies of requests and responses. They are gone when the last
// descriptor is. Any thread; blocks for as long as the file system takes.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "seawall/base/export.h"
#include "seawall/base/fd.h"
#include "seawall/base/result.h"

namespace seawall {

// In the folder, which is made (0700) when it is missing. Errors: errno.
SEAWALL_API Result<Fd> make_temporary_file(const std::string& folder);
// One with a name, which nothing removes.
SEAWALL_API Result<Fd> make_named_file(const std::string& folder, std::string& name);
// All bytes. Errors: errno.
SEAWALL_API Result<void> write_at(int fd, std::string_view bytes, std::uint64_t offset);

}  // namespace seawall
