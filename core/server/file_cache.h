// FileCache: what paths led to when they were asked for, so that the next request need not open and read. It holds at most
// `max` paths and `memory` bytes of contents, and forgets first what was not asked for longest. FileCaches: those of one
// loop, FilesModule's state there; together the loops' keep at most half of the process's descriptors. One loop, no locks.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "seawall/async/task.h"
#include "seawall/base/list.h"
#include "seawall/server/file.h"
#include "seawall/server/found.h"

namespace seawall {

class Loop;

class FileCache {
 public:
  class Entry : public ListNode {
   public:
    std::string path;
    Walk walk;              // how it was found
    Ref<File> file;         // null: not asked for often enough to be held
    std::int64_t checked = 0;  // when it was last known to be so; ns, monotonic, as `used`
    std::int64_t used = 0;
    std::int64_t uses = 0;
  };

  FileCache(std::size_t max, std::size_t memory, std::chrono::nanoseconds inactive)
      : max_(max), memory_(memory), inactive_(inactive.count()) {}
  ~FileCache() { clear(); }

  // Null when the path is not known.
  Entry* find(std::string_view path) const;
  // Counts a use; forgets up to two paths that have been inactive.
  void use(Entry& entry, std::int64_t now);
  // Of a path that find() does not know; its first use.
  Entry& add(const std::string& path, std::int64_t now);
  // Gives the entry a file, or takes it away. Makes room for it at the others' expense.
  void hold(Entry& entry, Ref<File> file);
  void forget(Entry& entry);
  void clear();
  // The longest unused; null when there is none.
  Entry* oldest() { return order_.front(); }
  // Forgets all that have been inactive.
  void forget_unused(std::int64_t now);
  // Forgets all that hold a descriptor; false: none did.
  bool forget_open();

  std::size_t size() const { return entries_.size(); }
  std::size_t open_files() const { return open_files_; }
  std::size_t memory_used() const { return used_memory_; }

 private:
  void forget_inactive(std::int64_t now);
  void let_go(Entry& entry);

  const std::size_t max_, memory_;
  const std::int64_t inactive_;
  std::size_t used_memory_ = 0;
  std::size_t open_files_ = 0;
  // By hash, then path: clients choose the paths, and whoever finds some of one hash must not get a list of them.
  using Key = std::pair<std::size_t, std::string_view>;
  static Key key_of(std::string_view path) { return {std::hash<std::string_view>()(path), path}; }
  std::map<Key, std::unique_ptr<Entry>> entries_;  // the keys are views of the entries' paths
  List<Entry> order_;                              // the longest unused first
};

class FileCaches {
 public:
  // Of contents in each cache.
  static constexpr std::size_t kMemory = 16 * 1024 * 1024;

  FileCaches(Loop&, const FileConf&);
  static FileCaches& of(Loop& loop);

  // The other loops of this process, which live for as long as this one runs. Set before it does.
  std::vector<Loop*> others;

  // Contents of small files, each held against the file system in the turn in which it is used: there is always one.
  FileCache contents{8192, kMemory, std::chrono::seconds(60)};
  // Larger files that are being served, held against the file system in the same way: opening one costs as much as sending
  // it. Closed when nobody has asked for a second or two, so that what was removed gives back its space.
  FileCache opened{64, 0, std::chrono::seconds(1)};
  void keep_open(const std::string& path, Ref<File> file);
  // That of an open_file_cache that is on.
  FileCache& of(const OpenFileCache& conf);
  // cache.hold(); then what was not asked for longest makes room, in whichever cache, until this loop's share of the
  // descriptors is kept to.
  void hold(FileCache& cache, FileCache::Entry& entry, Ref<File> file);
  // When descriptors have run out: gives back those kept here and asks the other loops to do so. False: none were kept
  // here. Entries die by it.
  bool give_back();

 private:
  Task<void> close_unused();
  bool forget_open();
  std::size_t open_files() const;
  std::size_t share() const;
  FileCache* oldest_but(const FileCache::Entry& entry);

  Loop& loop_;
  const std::size_t descriptors_;  // that all loops may keep
  bool closing_ = false;           // close_unused() is at work
  std::map<int, FileCache> by_number_;
};

}  // namespace seawall
