#include "seawall/base/zone_index.h"

#include <bit>
#include <cstring>
#include <new>

#include "seawall/base/keyed_hash.h"

namespace seawall {

struct RawZoneIndex::Root {
  HashKey key;
  ZoneRef buckets = 0;
  std::uint32_t mask = 0;
  ZoneRef newest = 0, oldest = 0;
  std::uint64_t size = 0;
};

// The value follows, and the key behind it.
struct RawZoneIndex::Entry {
  ZoneRef next;  // in its bucket
  ZoneRef newer, older;
  std::uint32_t hash, key_size, unused;
  void* value() { return this + 1; }
};

RawZoneIndex::Root* RawZoneIndex::root() const { return zone_.at<Root>(zone_.root()); }
RawZoneIndex::Entry* RawZoneIndex::at(ZoneRef ref) const { return zone_.at<Entry>(ref); }
RawZoneIndex::Entry* RawZoneIndex::entry_of(void* value) { return static_cast<Entry*>(value) - 1; }

// One bucket for 64 bytes of the zone: entries take that and more, so chains stay short.
RawZoneIndex::Root* RawZoneIndex::make_root() {
  const std::uint32_t count = std::bit_floor(static_cast<std::uint32_t>(zone_.size() / 64));
  const ZoneRef place = zone_.allocate(sizeof(Root)), buckets = place ? zone_.allocate(count * sizeof(ZoneRef)) : 0;
  if (!buckets) {
    if (place) zone_.free(place);
    return nullptr;
  }
  std::memset(zone_.at<ZoneRef>(buckets), 0, count * sizeof(ZoneRef));
  Root& made = *new (zone_.at<Root>(place)) Root;
  made.key = HashKey::random();
  made.buckets = buckets;
  made.mask = count - 1;
  zone_.set_root(place);
  return &made;
}

void RawZoneIndex::link(Root& root, Entry& entry) {
  const ZoneRef ref = zone_.ref_of(&entry);
  entry.newer = 0;
  entry.older = root.newest;
  if (root.newest) at(root.newest)->newer = ref;
  else root.oldest = ref;
  root.newest = ref;
}

void RawZoneIndex::unlink(Root& root, Entry& entry) {
  if (entry.newer) at(entry.newer)->older = entry.older;
  else root.newest = entry.older;
  if (entry.older) at(entry.older)->newer = entry.newer;
  else root.oldest = entry.newer;
}

void* RawZoneIndex::find(std::string_view key) {
  Root* const r = root();
  if (!r) return nullptr;
  const auto hash = static_cast<std::uint32_t>(keyed_hash(r->key, key));
  for (ZoneRef ref = zone_.at<ZoneRef>(r->buckets)[hash & r->mask]; ref; ref = at(ref)->next) {
    Entry& entry = *at(ref);
    if (entry.hash != hash || key_of(entry.value()) != key) continue;
    touch(entry.value());
    return entry.value();
  }
  return nullptr;
}

void RawZoneIndex::touch(void* value) {
  Root& r = *root();
  Entry& entry = *entry_of(value);
  if (!entry.newer) return;
  unlink(r, entry);
  link(r, entry);
}

void* RawZoneIndex::add(std::string_view key) {
  Root* r = root();
  if (!r) r = make_root();
  if (!r) return nullptr;
  const ZoneRef ref = zone_.allocate(sizeof(Entry) + value_size_ + key.size());
  if (!ref) return nullptr;
  Entry& entry = *at(ref);
  entry.hash = static_cast<std::uint32_t>(keyed_hash(r->key, key));
  entry.key_size = static_cast<std::uint32_t>(key.size());
  std::memset(entry.value(), 0, value_size_);
  key.copy(static_cast<char*>(entry.value()) + value_size_, key.size());
  ZoneRef& bucket = zone_.at<ZoneRef>(r->buckets)[entry.hash & r->mask];
  entry.next = bucket;
  bucket = ref;
  link(*r, entry);
  ++r->size;
  return entry.value();
}

void RawZoneIndex::remove(void* value) {
  Root& r = *root();
  Entry& entry = *entry_of(value);
  const ZoneRef ref = zone_.ref_of(&entry);
  ZoneRef* link = &zone_.at<ZoneRef>(r.buckets)[entry.hash & r.mask];
  while (*link != ref) link = &at(*link)->next;
  *link = entry.next;
  unlink(r, entry);
  --r.size;
  zone_.free(ref);
}

void* RawZoneIndex::oldest() const {
  Root* const r = root();
  return r && r->oldest ? at(r->oldest)->value() : nullptr;
}

std::string_view RawZoneIndex::key_of(const void* value) const {
  return {static_cast<const char*>(value) + value_size_, (static_cast<const Entry*>(value) - 1)->key_size};
}

std::size_t RawZoneIndex::size() const {
  Root* const r = root();
  return r ? r->size : 0;
}

}  // namespace seawall
