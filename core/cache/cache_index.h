// CacheIndex: what all loops and generations know of a cache's entries, in its zone: whether there is a file, how often it was
// asked for, until when it is kept unused, who fetches it at the moment. Files of entries that are dropped are removed. Any thread;
// the zone's lock is held for the moment of a call, never while a file is touched.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "seawall/base/process_id.h"
#include "seawall/base/zone_index.h"
#include "seawall/cache/cache_path.h"

namespace seawall {

class SEAWALL_API CacheIndex {
 public:
  explicit CacheIndex(const CachePath& path) : path_(path) {}

  class Seen {
   public:
    bool try_file = false;   // there is a file, or nobody has looked yet
    bool counted = false;    // the zone has room for the entry
    int error = 0;           // a status that is remembered in place of a response
    unsigned uses = 0;
  };
  // One more request asks for the entry; `again`: the same one once more. `now`: seconds since 1970, as all times here.
  Seen look(const CacheHash& hash, std::int64_t now, bool again = false);

  // Whoever gets true fetches the response; the others wait, or take a stale one. `at_most`: after that another may (ms);
  // nothing: while the fetcher lives. `token`: next_token().
  bool begin_update(const CacheHash& hash, std::uint64_t token, std::optional<std::chrono::milliseconds> at_most);
  // When that turn ends by itself: ms from now; nothing: nobody fetches.
  std::optional<std::int64_t> time_left(const CacheHash& hash);
  void end_update(const CacheHash& hash, std::uint64_t token);
  static std::uint64_t next_token();

  // There is a file of `bytes`; one whose use is not recorded may be looked at for the first time.
  void stored(const CacheHash& hash, std::int64_t bytes, std::int64_t now);
  void remember_error(const CacheHash& hash, std::uint64_t token, int status, std::int64_t until, std::int64_t now);
  // The file is gone, or is no entry.
  void lost(const CacheHash& hash);
  // The entry and its file. False: there was none.
  bool purge(const CacheHash& hash);

  // ---- for the keeper ----
  // Found by the loader: known from now on, if it was not.
  void found(const CacheHash& hash, std::int64_t bytes, std::int64_t now);
  bool is_cold();           // the loader has not seen all files yet
  void set_loaded();
  // Removes what nobody has asked for since `inactive`, what max_size and min_free leave no room for, and what fills the zone, at
  // most `most` files; the number removed, and the seconds until the next may be due.
  class Cleaned {
   public:
    std::int64_t files = 0, next = 10;
  };
  Cleaned clean(std::int64_t most, std::int64_t now);

 private:
  class Node {
   public:
    std::int64_t keep_until;   // s
    std::int64_t error_until;  // s
    std::int64_t bytes;        // on the disk
    std::uint64_t updater;     // token; 0: nobody
    std::int64_t update_until; // ms, monotonic; 0: while the process lives
    ProcessId updating;        // whose token it is
    std::uint32_t uses;
    std::uint16_t error;
    bool exists;
  };
  class Totals {
   public:
    std::int64_t bytes;
    std::uint64_t watermark;   // entries; 0: the zone has never been full
    bool loaded;
  };
  union Record {
    Node node;
    Totals totals;
  };
  using Index = ZoneIndex<Record>;

  Totals* totals(Index& index);
  Node* find(Index& index, const CacheHash& hash);
  Node* find_or_add(Index& index, const CacheHash& hash, std::vector<CacheHash>& dropped);
  Record* oldest(Index& index);
  std::optional<CacheHash> drop(Index& index, Record* record);  // its file is to be removed
  void remove_files(const std::vector<CacheHash>& hashes) const;
  bool is_over(Index& index, std::int64_t free) const;
  static bool is_updated(const Node& node, bool by_time);

  const CachePath& path_;
};

}  // namespace seawall
