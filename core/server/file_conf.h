// How files are looked for, kept and sent: open_file_cache, disable_symlinks, sendfile. Made at start-up, read by every
// loop.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "seawall/config/directive.h"
#include "seawall/config/setting.h"
#include "seawall/config/template.h"

namespace seawall {

// open_file_cache off | max=N [inactive=TIME]; each occurrence is a cache of its own, one on every loop.
class OpenFileCache {
 public:
  OpenFileCache() = default;
  // ConfigError: invalid "open_file_cache" parameter; no max.
  explicit OpenFileCache(const Invocation& in);
  bool is_on() const { return max > 0; }

  std::size_t max = 0;                         // paths
  std::chrono::milliseconds inactive{60'000};  // one that nobody asked for so long is forgotten
  int number = 0;                              // of the occurrence, from 1
};

enum class Symlinks : std::uint8_t { followed, refused, followed_if_owned };

// disable_symlinks off | on | if_not_owner [from=PART]
class DisableSymlinks {
 public:
  DisableSymlinks() = default;
  // ConfigError: nginx's wordings.
  explicit DisableSymlinks(const Invocation& in);

  Symlinks rule = Symlinks::followed;
  bool has_from = false;
  Template from;  // links in this part of a path are followed
};

class FileConf {
 public:
  Setting<OpenFileCache> open_file_cache;
  Setting<std::chrono::milliseconds> open_file_cache_valid{std::chrono::milliseconds(60'000)};
  Setting<std::int64_t> open_file_cache_min_uses{1};
  Setting<bool> open_file_cache_errors{false};
  Setting<DisableSymlinks> disable_symlinks;
  Setting<bool> sendfile{true};
};

}  // namespace seawall
