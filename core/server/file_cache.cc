#include "seawall/server/file_cache.h"

namespace seawall {

FileCache::Entry* FileCache::find(std::string_view path) const {
  const auto found = entries_.find(key_of(path));
  return found == entries_.end() ? nullptr : found->second.get();
}

void FileCache::use(Entry& entry, std::int64_t now) {
  ++entry.uses;
  entry.used = now;
  entry.unlink();
  order_.push_back(entry);
  forget_inactive(now);
}

FileCache::Entry& FileCache::add(const std::string& path, std::int64_t now) {
  if (entries_.size() >= max_) forget(*order_.front());
  auto made = std::make_unique<Entry>();
  Entry& entry = *made;
  entry.path = path;
  entries_.emplace(key_of(entry.path), std::move(made));
  use(entry, now);
  return entry;
}

void FileCache::hold(Entry& entry, Ref<File> file) {
  if (entry.file) used_memory_ -= entry.file->memory();
  if (file) used_memory_ += file->memory();
  entry.file = std::move(file);
  while (used_memory_ > memory_ && order_.front() != &entry) forget(*order_.front());
}

void FileCache::forget(Entry& entry) {
  if (entry.file) used_memory_ -= entry.file->memory();
  entry.unlink();
  entries_.erase(entries_.find(key_of(entry.path)));
}

void FileCache::clear() {
  while (Entry* entry = order_.front()) forget(*entry);
}

void FileCache::forget_inactive(std::int64_t now) {
  for (int i = 0; i < 2; ++i) {
    Entry* oldest = order_.front();
    if (!oldest || now - oldest->used <= inactive_) return;
    forget(*oldest);
  }
}

FileCache& FileCaches::of(const OpenFileCache& conf) {
  const auto found = by_number_.find(conf.number);
  if (found != by_number_.end()) return found->second;
  return by_number_.try_emplace(conf.number, conf.max, kMemory, conf.inactive).first->second;
}

bool FileCaches::clear() {
  std::size_t had = contents.size();
  contents.clear();
  for (auto& [number, cache] : by_number_) {
    had += cache.size();
    cache.clear();
  }
  return had > 0;
}

}  // namespace seawall
