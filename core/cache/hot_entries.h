// HotEntries: small entries of caches as they were read last, so that the next request need not open and read their files. Each is held
// against the file system in the turn in which it is used: device, inode, length and times must be the same, and the last change two
// seconds older than the look, so that none can have been made since without a trace. All of them hold kMostBytes at most, with
// their heads and names. One loop.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "seawall/base/list.h"
#include "seawall/cache/cache_entry.h"

namespace seawall {

class SEAWALL_API HotEntries {
 public:
  static constexpr std::size_t kMostBytes = 4 * 1024 * 1024;

  HotEntries();
  static HotEntries& of_thread();
  ~HotEntries();
  HotEntries(const HotEntries&) = delete;
  // As CacheEntry::open().
  Result<CacheEntry> open(const std::string& file, std::string_view key);
  std::size_t bytes() const { return bytes_; }

 private:
  class Hot;
  void keep(const std::string& file, const CacheEntry& entry);
  void forget(const std::string& file);
  std::unordered_map<std::string_view, std::unique_ptr<Hot>> by_file_;  // the keys are views of theirs
  List<Hot> order_;                                                     // the longest unused first
  std::size_t bytes_ = 0;
};

}  // namespace seawall
