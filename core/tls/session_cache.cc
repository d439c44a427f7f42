#include "seawall/tls/session_cache.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <new>
#include <utility>

namespace seawall {
namespace {

constexpr std::uint32_t kFiller = 1u << 31;  // of a size: nothing but the end of the ring

std::size_t rounded(std::size_t n) { return (n + 7) & ~std::size_t{7}; }

}  // namespace

// Positions count on for ever; the place of one in the ring is its remainder.
struct SessionCache::Head {
  SharedMutex mutex;
  std::uint64_t begin = 0, end = 0;
};

struct SessionCache::Entry {
  std::uint32_t size;  // of all of it
  std::uint32_t next;  // in its bucket: offset + 1; 0: the last
  std::int64_t expires;
  std::uint16_t session_size;
  std::uint8_t id_size;  // 0: removed
  char id[kLongestId];
  char* session() { return reinterpret_cast<char*>(this + 1); }
  std::string_view name() const { return {id, id_size}; }
};

SessionCache::SessionCache(std::size_t bytes) : memory_(std::max<std::size_t>(bytes, 32768)) {
  head_ = new (memory_.data()) Head;
  // A session takes some 250 bytes and more: so the chains of buckets stay short.
  bucket_count_ = static_cast<std::uint32_t>(std::min<std::size_t>(memory_.size() / 256, 1u << 24));
  buckets_ = reinterpret_cast<std::uint32_t*>(static_cast<char*>(memory_.data()) + rounded(sizeof(Head)));
  ring_ = reinterpret_cast<char*>(buckets_) + rounded(bucket_count_ * sizeof(std::uint32_t));
  const std::size_t used = static_cast<std::size_t>(ring_ - static_cast<char*>(memory_.data()));
  ring_size_ = std::min<std::size_t>((memory_.size() - used) & ~std::size_t{7}, kFiller - 8);
}

std::shared_ptr<SessionCache> SessionCache::shared(const std::string& name, std::size_t bytes) {
  static std::map<std::pair<std::string, std::size_t>, std::weak_ptr<SessionCache>> all;
  auto& known = all[{name, bytes}];
  auto cache = known.lock();
  if (!cache) known = cache = std::make_shared<SessionCache>(bytes);
  return cache;
}

void SessionCache::clear() {
  std::memset(buckets_, 0, bucket_count_ * sizeof(std::uint32_t));
  head_->begin = head_->end = 0;
}

// Ids are random numbers of our own.
std::uint32_t& SessionCache::bucket_of(std::string_view id) {
  std::uint32_t hash = 0;
  std::memcpy(&hash, id.data(), std::min(id.size(), sizeof hash));
  return buckets_[hash % bucket_count_];
}

SessionCache::Entry& SessionCache::at(std::uint32_t offset) { return *reinterpret_cast<Entry*>(ring_ + offset); }

SessionCache::Entry* SessionCache::find(std::string_view id) {
  if (id.empty()) return nullptr;
  for (std::uint32_t link = bucket_of(id); link != 0; link = at(link - 1).next)
    if (at(link - 1).name() == id) return &at(link - 1);
  return nullptr;
}

void SessionCache::unlink(Entry& entry) {
  if (entry.id_size == 0) return;
  std::uint32_t* link = &bucket_of(entry.name());
  while (*link != 0 && &at(*link - 1) != &entry) link = &at(*link - 1).next;
  if (*link != 0) *link = entry.next;
  entry.id_size = 0;
}

// Until `size` bytes fit behind the last entry, in one piece.
void SessionCache::make_room(std::size_t size) {
  const std::size_t left = ring_size_ - head_->end % ring_size_;
  const std::size_t filler = left < size ? left : 0;
  while (ring_size_ - (head_->end - head_->begin) < filler + size) {
    Entry& oldest = at(static_cast<std::uint32_t>(head_->begin % ring_size_));
    const std::uint32_t taken = oldest.size & ~kFiller;
    if (!(oldest.size & kFiller)) unlink(oldest);
    head_->begin += taken;
  }
  if (filler == 0) return;
  at(static_cast<std::uint32_t>(head_->end % ring_size_)).size = static_cast<std::uint32_t>(filler) | kFiller;
  head_->end += filler;
}

void SessionCache::put(std::string_view id, std::string_view session, std::int64_t expires, std::int64_t now) {
  const std::size_t size = rounded(sizeof(Entry) + session.size());
  if (id.empty() || id.size() > kLongestId || session.size() > kLongestSession || size > ring_size_ || expires <= now) return;
  const SharedLock lock(head_->mutex);
  if (!lock.intact) clear();
  if (Entry* old = find(id)) unlink(*old);
  make_room(size);
  const auto offset = static_cast<std::uint32_t>(head_->end % ring_size_);
  std::uint32_t& bucket = bucket_of(id);
  Entry& entry = at(offset);
  entry.size = static_cast<std::uint32_t>(size);
  entry.next = bucket;
  entry.expires = expires;
  entry.session_size = static_cast<std::uint16_t>(session.size());
  entry.id_size = static_cast<std::uint8_t>(id.size());
  id.copy(entry.id, id.size());
  session.copy(entry.session(), session.size());
  bucket = offset + 1;
  head_->end += size;
}

std::string SessionCache::get(std::string_view id, std::int64_t now) {
  const SharedLock lock(head_->mutex);
  if (!lock.intact) clear();
  Entry* entry = find(id);
  if (!entry || entry->expires <= now) return {};
  return std::string(entry->session(), entry->session_size);
}

void SessionCache::remove(std::string_view id) {
  const SharedLock lock(head_->mutex);
  if (!lock.intact) clear();
  if (Entry* entry = find(id)) unlink(*entry);
}

}  // namespace seawall
