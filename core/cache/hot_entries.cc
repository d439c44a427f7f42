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
  // Of all that it keeps alive; the table's node is about as large as a pointer to it and its name.
  std::size_t bytes() const { return sizeof(Hot) + 8 * sizeof(void*) + file.capacity() + sizeof(Block) + entry.storage->capacity(); }
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
    forget(file);
  }
  Result<CacheEntry> entry = CacheEntry::open(file, key);
  if (entry && entry->is_small() && entry->is_checked() && entry->stamp.is_old()) keep(file, *entry);
  return entry;
}

void HotEntries::keep(const std::string& file, const CacheEntry& entry) {
  auto hot = std::make_unique<Hot>(file, entry);
  if (hot->bytes() > kMostBytes / 16) return;  // a long head: others would have to go for it
  bytes_ += hot->bytes();
  order_.push_back(*hot);
  const std::string_view name = hot->file;
  by_file_.emplace(name, std::move(hot));
  while (bytes_ > kMostBytes) forget(order_.front()->file);
}

void HotEntries::forget(const std::string& file) {
  const auto known = by_file_.find(file);
  bytes_ -= known->second->bytes();
  const std::unique_ptr<Hot> hot = std::move(known->second);  // the name is its own
  by_file_.erase(known);
}

}  // namespace seawall
