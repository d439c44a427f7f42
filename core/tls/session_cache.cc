#include "seawall/tls/session_cache.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "seawall/base/check.h"

namespace seawall {
namespace {

constexpr std::size_t kPage = 4096;  // of a zone
constexpr std::uint32_t kFiller = 1u << 31;  // of a size: nothing but the end of the ring

std::size_t rounded(std::size_t n) { return (n + 7) & ~std::size_t{7}; }

}  // namespace

// The cache's contents while the zone is held: a table of buckets, and a ring of entries from the oldest to the newest.
class SessionCache::Ring {
 public:
  explicit Ring(SharedZone& zone);
  void put(std::string_view id, std::string_view session, std::int64_t expires);
  std::string get(std::string_view id, std::int64_t now);
  void remove(std::string_view id);

 private:
  // Positions count on for ever; the place of one in the ring is its remainder.
  struct Head {
    std::uint64_t begin, end;
    std::uint32_t buckets, ring_size;
  };
  struct Entry {
    std::uint32_t size;  // of all of it
    std::uint32_t next;  // in its bucket: offset + 1; 0: the last
    std::int64_t expires;
    std::uint16_t session_size;
    std::uint8_t id_size;  // 0: removed
    char id[kLongestId];
    char* session() { return reinterpret_cast<char*>(this + 1); }
    std::string_view name() const { return {id, id_size}; }
  };
  Head* make();
  std::uint32_t& bucket_of(std::string_view id);
  Entry& at(std::uint32_t offset);
  Entry* find(std::string_view id);
  void unlink(Entry& entry);
  void make_room(std::size_t size);

  SharedZone& zone_;
  const SharedZone::Lock lock_;
  Head* head_;
  std::uint32_t* buckets_;
  char* ring_;
};

SessionCache::Ring::Ring(SharedZone& zone) : zone_(zone), lock_(zone) {
  head_ = zone.at<Head>(zone.root());
  if (!head_) head_ = make();
  buckets_ = reinterpret_cast<std::uint32_t*>(head_ + 1);
  ring_ = reinterpret_cast<char*>(buckets_) + rounded(head_->buckets * sizeof(std::uint32_t));
}

// In an empty zone: all of it.
SessionCache::Ring::Head* SessionCache::Ring::make() {
  const std::size_t bytes = zone_.free_pages() * kPage;
  const ZoneRef place = zone_.allocate(bytes);
  CHECK(place != 0);
  Head* const head = new (zone_.at<char>(place)) Head{};
  // A session takes some 250 bytes and more: so the chains of buckets stay short.
  head->buckets = static_cast<std::uint32_t>(std::min<std::size_t>(bytes / 256, 1u << 24));
  const std::size_t table = rounded(head->buckets * sizeof(std::uint32_t));
  head->ring_size = static_cast<std::uint32_t>(std::min<std::size_t>((bytes - sizeof(Head) - table) & ~std::size_t{7}, kFiller - 8));
  std::memset(head + 1, 0, table);
  zone_.set_root(place);
  return head;
}

// Ids are random numbers of our own.
std::uint32_t& SessionCache::Ring::bucket_of(std::string_view id) {
  std::uint32_t hash = 0;
  std::memcpy(&hash, id.data(), std::min(id.size(), sizeof hash));
  return buckets_[hash % head_->buckets];
}

SessionCache::Ring::Entry& SessionCache::Ring::at(std::uint32_t offset) { return *reinterpret_cast<Entry*>(ring_ + offset); }

SessionCache::Ring::Entry* SessionCache::Ring::find(std::string_view id) {
  if (id.empty()) return nullptr;
  for (std::uint32_t link = bucket_of(id); link != 0; link = at(link - 1).next)
    if (at(link - 1).name() == id) return &at(link - 1);
  return nullptr;
}

void SessionCache::Ring::unlink(Entry& entry) {
  if (entry.id_size == 0) return;
  std::uint32_t* link = &bucket_of(entry.name());
  while (*link != 0 && &at(*link - 1) != &entry) link = &at(*link - 1).next;
  if (*link != 0) *link = entry.next;
  entry.id_size = 0;
}

// Until `size` bytes fit behind the last entry, in one piece.
void SessionCache::Ring::make_room(std::size_t size) {
  const std::size_t left = head_->ring_size - head_->end % head_->ring_size;
  const std::size_t filler = left < size ? left : 0;
  while (head_->ring_size - (head_->end - head_->begin) < filler + size) {
    Entry& oldest = at(static_cast<std::uint32_t>(head_->begin % head_->ring_size));
    const std::uint32_t taken = oldest.size & ~kFiller;
    if (!(oldest.size & kFiller)) unlink(oldest);
    head_->begin += taken;
  }
  if (filler == 0) return;
  at(static_cast<std::uint32_t>(head_->end % head_->ring_size)).size = static_cast<std::uint32_t>(filler) | kFiller;
  head_->end += filler;
}

void SessionCache::Ring::put(std::string_view id, std::string_view session, std::int64_t expires) {
  const std::size_t size = rounded(sizeof(Entry) + session.size());
  if (size > head_->ring_size) return;
  remove(id);
  make_room(size);
  const auto offset = static_cast<std::uint32_t>(head_->end % head_->ring_size);
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

std::string SessionCache::Ring::get(std::string_view id, std::int64_t now) {
  Entry* entry = find(id);
  if (!entry || entry->expires <= now) return {};
  return std::string(entry->session(), entry->session_size);
}

void SessionCache::Ring::remove(std::string_view id) {
  if (Entry* entry = find(id)) unlink(*entry);
}

SessionCache::SessionCache(std::shared_ptr<SharedZone> zone) : zone_(std::move(zone)) {}

std::shared_ptr<SessionCache> SessionCache::shared(const std::string& name, std::size_t bytes) {
  return std::make_shared<SessionCache>(SharedZone::open(name, std::clamp(bytes, SharedZone::kSmallest, SharedZone::kLargest), "ssl_session_cache 1"));
}

std::shared_ptr<SessionCache> SessionCache::own(std::size_t bytes) {
  static std::uint64_t made = 0;
  return shared("builtin:" + std::to_string(::getpid()) + ":" + std::to_string(++made), bytes);
}

void SessionCache::put(std::string_view id, std::string_view session, std::int64_t expires, std::int64_t now) {
  if (id.empty() || id.size() > kLongestId || session.size() > kLongestSession || expires <= now) return;
  Ring(*zone_).put(id, session, expires);
}

std::string SessionCache::get(std::string_view id, std::int64_t now) { return Ring(*zone_).get(id, now); }

void SessionCache::remove(std::string_view id) { Ring(*zone_).remove(id); }

}  // namespace seawall
