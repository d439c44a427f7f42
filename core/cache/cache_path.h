// CachePath: what proxy_cache_path and its siblings say: a folder of entries, and the zone that knows them. Written at start-up,
// read by every loop.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "seawall/cache/cache_hash.h"
#include "seawall/config/directive.h"
#include "seawall/config/zones.h"

namespace seawall {

// How much is done at once by the loader and the manager, and how long they rest after that.
class CachePace {
 public:
  std::int64_t files = 100;
  std::chrono::milliseconds sleep{50}, threshold{200};
};

class SEAWALL_API CachePath {
 public:
  static constexpr const char* kUse = "cache 2";  // of the zone

  // *_cache_path FOLDER keys_zone=NAME:SIZE ...; ConfigError in nginx's words.
  static std::shared_ptr<const CachePath> declare(const Invocation& in);

  std::string folder;              // without a slash at its end
  std::vector<std::size_t> levels; // digits of each folder's name
  bool use_temp_path = true;       // entries are written in *_temp_path, else in the folder itself
  std::size_t capacity = 0;        // entries that the zone holds
  std::int64_t max_size = INT64_MAX, min_free = 0;  // bytes
  std::chrono::seconds inactive{600};
  CachePace loader, manager;
  const Zone* zone = nullptr;

  std::string file_of(const CacheHash& hash) const;

 private:
  void read(const Invocation& in, const std::string& word);
  void read_zone(const Invocation& in, const std::string& word);
};

}  // namespace seawall
