// What the server keeps of a file it keeps only of one that was changed a while ago.
#pragma once
#include <sys/stat.h>

#include <ctime>
#include <string>

#include "catch.h"
#include "e2e/timing.h"

namespace test {

// Until the file is one that was last changed long ago: ctime cannot be set.
inline void wait_until_old(const std::string& path) {
  struct stat s;
  REQUIRE(::stat(path.c_str(), &s) == 0);
  REQUIRE(wait_until([&] { return ::time(nullptr) - s.st_ctim.tv_sec >= 3; }));
}

}  // namespace test
