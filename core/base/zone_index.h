// ZoneIndex: a table in a SharedZone: a text names a value of fixed size; what has not been used for longest is known.
// All calls under the zone's Lock, on any thread; the table is made when the first value comes.
//
//   ZoneIndex<Bucket> index(zone);
//   Bucket* bucket = index.find(key);                  // and it is the newest now
//   while (!bucket && !(bucket = index.add(key)) && index.drop_oldest()) {}
#pragma once
#include <string_view>
#include <type_traits>

#include "seawall/base/shared_zone.h"

namespace seawall {

class SEAWALL_API RawZoneIndex {
 public:
  RawZoneIndex(SharedZone& zone, std::size_t value_size) : zone_(zone), value_size_(value_size) {}
  void* find(std::string_view key);
  void* add(std::string_view key);  // zeroed; not there yet. Null: no room
  void remove(void* value);
  void touch(void* value);  // is the newest now
  void* oldest() const;
  std::string_view key_of(const void* value) const;
  std::size_t size() const;

 private:
  struct Root;
  struct Entry;
  Root* make_root();
  Root* root() const;
  Entry* at(ZoneRef ref) const;
  static Entry* entry_of(void* value);
  void link(Root& root, Entry& entry);
  void unlink(Root& root, Entry& entry);
  SharedZone& zone_;
  const std::size_t value_size_;
};

template <class T>
class ZoneIndex {
  static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= 8);

 public:
  explicit ZoneIndex(SharedZone& zone) : raw_(zone, sizeof(T)) {}
  T* find(std::string_view key) { return static_cast<T*>(raw_.find(key)); }
  T* add(std::string_view key) { return static_cast<T*>(raw_.add(key)); }
  void remove(T* value) { raw_.remove(value); }
  void touch(T* value) { raw_.touch(value); }
  T* oldest() const { return static_cast<T*>(raw_.oldest()); }
  bool drop_oldest() {
    T* const value = oldest();
    if (value) remove(value);
    return value != nullptr;
  }
  std::string_view key_of(const T* value) const { return raw_.key_of(value); }
  std::size_t size() const { return raw_.size(); }

 private:
  RawZoneIndex raw_;
};

}  // namespace seawall
