#include "seawall/cache/hot_entries.h"

#include <sys/stat.h>

#include <utility>

namespace seawall {
namespace {

bool is_still(const std::string& file, const FileStamp& stamp) {
  struct stat now;
  return ::lstat(file.c_str(), &now) == 0 && FileStamp(now) == stamp;
}

}  // namespace

class HotEntries::Hot final : public ListNode {
 public:
  Hot(std::string file, CacheEntry entry) : file(std::move(file)), entry(std::move(entry)) {}
  const std::string file;
  const CacheEntry entry;
};

HotEntries& HotEntries::of_thread() {
  static thread_local HotEntries entries;
  return entries;
}

HotEntries::HotEntries() = default;
HotEntries::~HotEntries() { by_file_.clear(); }

Result<CacheEntry> HotEntries::open(const std::string& file, std::string_view key) {
  if (const auto known = by_file_.find(file); known != by_file_.end()) {
    Hot& hot = *known->second;
    if (is_still(file, hot.entry.stamp) && hot.entry.key() == key) {
      hot.unlink();
      order_.push_back(hot);
      return hot.entry;
    }
    by_file_.erase(known);
  }
  Result<CacheEntry> entry = CacheEntry::open(file, key);
  if (entry && entry->is_small() && entry->is_checked() && entry->stamp.is_old()) keep(file, *entry);
  return entry;
}

void HotEntries::keep(const std::string& file, const CacheEntry& entry) {
  if (by_file_.size() >= kMost) by_file_.erase(order_.front()->file);
  auto hot = std::make_unique<Hot>(file, entry);
  order_.push_back(*hot);
  const std::string_view name = hot->file;
  by_file_.emplace(name, std::move(hot));
}

}  // namespace seawall
