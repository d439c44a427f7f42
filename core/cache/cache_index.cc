#include "seawall/cache/cache_index.h"

#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "seawall/cache/cache_waiters.h"
#include "seawall/log/log.h"

namespace seawall {
namespace {

constexpr int kDroppedAtMost = 8;
constexpr std::string_view kTotals = "totals";  // no hash has that length

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now().time_since_epoch()).count();
}

const ProcessId& own_id() {
  static const ProcessId own = ProcessId::current();
  return own;
}

bool is_alive(const ProcessId& process) { return process == own_id() || process.alive(); }

}  // namespace

std::uint64_t CacheIndex::next_token() {
  static std::atomic<std::uint32_t> last{0};
  static const std::uint64_t process = std::uint64_t{static_cast<std::uint32_t>(::getpid())} << 32;
  return process | ++last;
}

// Null: no room even for that.
CacheIndex::Totals* CacheIndex::totals(Index& index) {
  Record* record = index.find(kTotals);
  if (!record) record = index.add(kTotals);
  return record ? &record->totals : nullptr;
}

CacheIndex::Node* CacheIndex::find(Index& index, const CacheHash& hash) {
  Record* const record = index.find(hash.view());
  return record ? &record->node : nullptr;
}

// The entry that nobody has asked for for longest.
CacheIndex::Record* CacheIndex::oldest(Index& index) {
  Record* record = index.oldest();
  if (record && index.key_of(record) == kTotals) {
    index.touch(record);
    record = index.size() > 1 ? index.oldest() : nullptr;
  }
  return record;
}

std::optional<CacheHash> CacheIndex::drop(Index& index, Record* record) {
  CacheHash hash;
  const bool exists = record->node.exists;
  const std::string_view key = index.key_of(record);
  key.copy(reinterpret_cast<char*>(hash.bytes.data()), hash.bytes.size());
  if (exists)
    if (Totals* all = totals(index)) all->bytes -= record->node.bytes;
  index.remove(record);
  if (!exists) return std::nullopt;
  return hash;
}

CacheIndex::Node* CacheIndex::find_or_add(Index& index, const CacheHash& hash, std::vector<CacheHash>& dropped) {
  if (Node* node = find(index, hash)) return node;
  Totals* const all = totals(index);
  if (!all) return nullptr;
  const bool full = index.size() > path_.capacity;
  Record* record = full ? nullptr : index.add(hash.view());
  if (!record) all->watermark = index.size() - index.size() / 8;
  for (int i = 0; !record && i < kDroppedAtMost; ++i) {
    Record* const old = oldest(index);
    if (!old) break;
    if (const auto file = drop(index, old)) dropped.push_back(*file);
    record = index.add(hash.view());
  }
  return record ? &record->node : nullptr;
}

void CacheIndex::remove_files(const std::vector<CacheHash>& hashes) const {
  for (const CacheHash& hash : hashes) {
    const std::string file = path_.file_of(hash);
    if (::unlink(file.c_str()) != 0 && errno != ENOENT)
      log(Level::crit, "unlink() \"" + file + "\" failed " + describe(system_error_code(errno)));
  }
}

CacheIndex::Seen CacheIndex::look(const CacheHash& hash, std::int64_t now, bool again) {
  Seen seen;
  std::vector<CacheHash> dropped;
  {
    const Zone::Lock lock(*path_.zone);
    Index index(path_.zone->memory());
    Node* node = find(index, hash);
    const bool is_new = !node;
    if (is_new) node = find_or_add(index, hash, dropped);
    if (node) {
      if (node->error && node->error_until < now) node->error = 0;
      if (!again) ++node->uses;
      node->keep_until = now + path_.inactive.count();
      seen.counted = true;
      seen.error = node->error;
      seen.uses = node->uses;
      const Totals* const all = totals(index);
      seen.try_file = node->exists || (all && !all->loaded);
    }
  }
  remove_files(dropped);
  return seen;
}

bool CacheIndex::is_updated(const Node& node, bool by_time) {
  if (node.updater == 0 || !is_alive(node.updating)) return false;
  return !by_time || node.update_until == 0 || node.update_until > now_ms();
}

bool CacheIndex::begin_update(const CacheHash& hash, std::uint64_t token, std::optional<std::chrono::milliseconds> at_most) {
  std::vector<CacheHash> dropped;
  bool begun = true;
  {
    const Zone::Lock lock(*path_.zone);
    Index index(path_.zone->memory());
    Node* const node = find_or_add(index, hash, dropped);
    if (node && is_updated(*node, at_most.has_value())) {
      begun = node->updater == token;
    } else if (node) {
      node->updater = token;
      node->updating = own_id();
      node->update_until = at_most ? now_ms() + at_most->count() : 0;
    }
  }
  remove_files(dropped);
  return begun;
}

std::optional<std::int64_t> CacheIndex::time_left(const CacheHash& hash) {
  const Zone::Lock lock(*path_.zone);
  Index index(path_.zone->memory());
  const Node* const node = find(index, hash);
  if (!node || !is_updated(*node, true)) return std::nullopt;
  return node->update_until == 0 ? INT64_MAX : std::max<std::int64_t>(node->update_until - now_ms(), 1);
}

void CacheIndex::end_update(const CacheHash& hash, std::uint64_t token) {
  {
    const Zone::Lock lock(*path_.zone);
    Index index(path_.zone->memory());
    Node* const node = find(index, hash);
    if (node && node->updater == token) node->updater = 0;
  }
  CacheWaiters::wake(hash);
}

void CacheIndex::stored(const CacheHash& hash, std::int64_t bytes, std::int64_t now) {
  std::vector<CacheHash> dropped;
  {
    const Zone::Lock lock(*path_.zone);
    Index index(path_.zone->memory());
    if (Node* node = find_or_add(index, hash, dropped)) {
      if (Totals* all = totals(index)) all->bytes += bytes - (node->exists ? node->bytes : 0);
      node->exists = true;
      node->bytes = bytes;
      node->error = 0;
      node->uses = std::max<std::uint32_t>(node->uses, 1);
      node->keep_until = now + path_.inactive.count();
      node->updater = 0;  // whoever else fetches it need not be waited for
    } else {
      dropped.push_back(hash);
    }
  }
  remove_files(dropped);
  CacheWaiters::wake(hash);
}

void CacheIndex::remember_error(const CacheHash& hash, std::uint64_t token, int status, std::int64_t until, std::int64_t now) {
  {
    const Zone::Lock lock(*path_.zone);
    Index index(path_.zone->memory());
    if (Node* node = find(index, hash)) {
      node->error = static_cast<std::uint16_t>(status);
      node->error_until = until;
      node->keep_until = now + path_.inactive.count();
      if (node->updater == token) node->updater = 0;
    }
  }
  CacheWaiters::wake(hash);
}

void CacheIndex::lost(const CacheHash& hash) {
  const Zone::Lock lock(*path_.zone);
  Index index(path_.zone->memory());
  Node* const node = find(index, hash);
  if (!node || !node->exists) return;
  if (Totals* all = totals(index)) all->bytes -= node->bytes;
  node->exists = false;
}

bool CacheIndex::purge(const CacheHash& hash) {
  {
    const Zone::Lock lock(*path_.zone);
    Index index(path_.zone->memory());
    if (Node* node = find(index, hash)) {
      if (Totals* all = totals(index); all && node->exists) all->bytes -= node->bytes;
      node->exists = false;
      node->error = 0;
    }
  }
  return ::unlink(path_.file_of(hash).c_str()) == 0;
}

void CacheIndex::found(const CacheHash& hash, std::int64_t bytes, std::int64_t now) {
  std::vector<CacheHash> dropped;
  {
    const Zone::Lock lock(*path_.zone);
    Index index(path_.zone->memory());
    Node* const node = find_or_add(index, hash, dropped);
    if (!node) {
      dropped.push_back(hash);
    } else if (!node->exists) {
      if (Totals* all = totals(index)) all->bytes += bytes;
      node->exists = true;
      node->bytes = bytes;
      if (node->keep_until == 0) node->keep_until = now + path_.inactive.count();
    }
  }
  remove_files(dropped);
}

bool CacheIndex::is_cold() {
  const Zone::Lock lock(*path_.zone);
  Index index(path_.zone->memory());
  const Totals* const all = totals(index);
  return all && !all->loaded;
}

void CacheIndex::set_loaded() {
  const Zone::Lock lock(*path_.zone);
  Index index(path_.zone->memory());
  if (Totals* all = totals(index)) all->loaded = true;
}

bool CacheIndex::is_over(Index& index, std::int64_t free) const {
  const Record* const record = index.find(kTotals);
  if (!record) return false;
  const Totals& all = record->totals;
  return all.bytes >= path_.max_size || (all.watermark > 0 && index.size() - 1 > all.watermark) || free < path_.min_free;
}

CacheIndex::Cleaned CacheIndex::clean(std::int64_t most, std::int64_t now) {
  Cleaned cleaned;
  std::int64_t free = INT64_MAX;
  struct statvfs disk;
  if (path_.min_free > 0 && ::statvfs(path_.folder.c_str(), &disk) == 0)
    free = static_cast<std::int64_t>(disk.f_bavail) * static_cast<std::int64_t>(disk.f_frsize);
  const auto until = Clock::now() + path_.manager.threshold;
  bool more = true;
  while (more) {
    std::vector<CacheHash> dropped;
    {
      const Zone::Lock lock(*path_.zone);
      Index index(path_.zone->memory());
      Record* const old = oldest(index);
      if (!old) return cleaned;
      const std::int64_t due = old->node.keep_until - now;
      if (due > 0 && !is_over(index, free)) {
        cleaned.next = std::clamp<std::int64_t>(due, 1, 10);
        return cleaned;
      }
      if (path_.min_free > 0 && old->node.exists) free += old->node.bytes;
      if (is_updated(old->node, false)) {  // whoever fetches it still needs it
        index.touch(old);
        old->node.keep_until = now + path_.inactive.count();
      } else if (const auto file = drop(index, old)) {
        dropped.push_back(*file);
      }
    }
    ++cleaned.files;
    remove_files(dropped);
    more = cleaned.files < most && Clock::now() < until;
  }
  cleaned.next = 0;
  return cleaned;
}

}  // namespace seawall
