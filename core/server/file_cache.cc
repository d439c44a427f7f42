#include "seawall/server/file_cache.h"

#include <sys/resource.h>

#include <algorithm>

#include "seawall/async/event.h"
#include "seawall/net/loop.h"
#include "seawall/server/core_module.h"

namespace seawall {
namespace {

// RLIMIT_NOFILE, which is set before the loops are made.
std::size_t descriptors() {
  rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<std::size_t>(limit.rlim_cur);
}

}  // namespace

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
  let_go(entry);
  entry.file = std::move(file);
  if (entry.file) {
    used_memory_ += entry.file->memory();
    open_files_ += entry.file->is_open();
  }
  while (used_memory_ > memory_ && order_.front() != &entry) forget(*order_.front());
}

void FileCache::let_go(Entry& entry) {
  if (!entry.file) return;
  used_memory_ -= entry.file->memory();
  open_files_ -= entry.file->is_open();
  entry.file = Ref<File>();
}

void FileCache::forget(Entry& entry) {
  let_go(entry);
  entry.unlink();
  entries_.erase(entries_.find(key_of(entry.path)));
}

void FileCache::clear() {
  while (Entry* entry = order_.front()) forget(*entry);
}

bool FileCache::forget_open() {
  const bool any = open_files_ > 0;
  for (Entry* entry = order_.front(); entry && open_files_ > 0;) {
    Entry* next = order_.next(*entry);
    if (entry->file && entry->file->is_open()) forget(*entry);
    entry = next;
  }
  return any;
}

void FileCache::forget_inactive(std::int64_t now) {
  for (int i = 0; i < 2; ++i) {
    Entry* oldest = order_.front();
    if (!oldest || now - oldest->used <= inactive_) return;
    forget(*oldest);
  }
}

void FileCache::forget_unused(std::int64_t now) {
  for (Entry* oldest = order_.front(); oldest && now - oldest->used > inactive_; oldest = order_.front()) forget(*oldest);
}

FileCaches::FileCaches(Loop& loop, const FileConf&) : loop_(loop), descriptors_(descriptors() / 2) {}

FileCaches& FileCaches::of(Loop& loop) {
  return *static_cast<FileCaches*>(loop.module_states[static_cast<std::size_t>(module_number<FilesModule>)]);
}

FileCache& FileCaches::of(const OpenFileCache& conf) {
  const auto found = by_number_.find(conf.number);
  if (found != by_number_.end()) return found->second;
  return by_number_.try_emplace(conf.number, conf.max, kMemory, conf.inactive).first->second;
}

std::size_t FileCaches::open_files() const {
  std::size_t n = opened.open_files();
  for (const auto& [number, cache] : by_number_) n += cache.open_files();
  return n;
}

std::size_t FileCaches::share() const { return std::max<std::size_t>(descriptors_ / (others.size() + 1), 1); }

// The cache with the entry to forget first, of those that keep descriptors.
FileCache* FileCaches::oldest_but(const FileCache::Entry& entry) {
  FileCache* found = opened.size() > 0 && opened.oldest() != &entry ? &opened : nullptr;
  for (auto& [number, cache] : by_number_) {
    if (cache.open_files() == 0 || cache.oldest() == &entry) continue;
    if (!found || cache.oldest()->used < found->oldest()->used) found = &cache;
  }
  return found;
}

void FileCaches::hold(FileCache& cache, FileCache::Entry& entry, Ref<File> file) {
  cache.hold(entry, std::move(file));
  if (!entry.file || !entry.file->is_open()) return;
  while (open_files() > share()) {
    FileCache* from = oldest_but(entry);
    if (!from) return;
    from->forget(*from->oldest());
  }
}

void FileCaches::keep_open(const std::string& path, Ref<File> file) {
  hold(opened, opened.add(path, loop_.now()), std::move(file));
  if (!closing_) loop_.scope().spawn(close_unused());
}

Task<void> FileCaches::close_unused() {
  closing_ = true;
  while (opened.size() > 0) {
    const Errc slept = co_await sleep_until(Deadline::in(std::chrono::seconds(1), Wait::idle));
    if (slept == Errc::cancelled) opened.clear();
    else opened.forget_unused(loop_.now());
  }
  closing_ = false;
}

bool FileCaches::forget_open() {
  bool any = opened.forget_open();
  for (auto& [number, cache] : by_number_) any |= cache.forget_open();
  return any;
}

bool FileCaches::give_back() {
  for (Loop* other : others) other->post([other] { FileCaches::of(*other).forget_open(); });
  return forget_open();
}

}  // namespace seawall
