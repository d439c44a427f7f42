// SharedZone: named memory that the loops of a worker and the workers before and after it have in common, with an
// allocator inside: what must outlive a reload and a worker's crash (limits, caches). Any thread, under its Lock.
//
//   SharedZone::Lock lock(zone);
//   const ZoneRef ref = zone.allocate(64);            // 0: no room; who uses the zone frees what is oldest and tries again
//   auto* node = zone.at<Node>(ref);
//
// Inside it there are no pointers, only ZoneRefs: it may lie elsewhere in another process.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "seawall/base/export.h"
#include "seawall/base/fd.h"

namespace seawall {

// A place in a zone: units of 8 bytes from its beginning; 0: none.
using ZoneRef = std::uint32_t;

class SEAWALL_API SharedZone {
 public:
  static constexpr std::size_t kSmallest = 8 * 4096, kLargest = std::size_t{1} << 35;

  // The zone of this name, size and use, as long as somebody in this process has it; a new, empty one otherwise. `use` says
  // who understands the contents, and in which version ("limit_req 1"). std::bad_alloc, and std::system_error when the system
  // has no memory or descriptor. `bytes`: from kSmallest to kLargest. Start-up thread.
  static std::shared_ptr<SharedZone> open(const std::string& name, std::size_t bytes, const std::string& use);
  // Those that are open here; and one whose memory another process has handed over: null when it is none of this layout. It is
  // what open() finds as long as it is kept.
  static std::vector<std::shared_ptr<SharedZone>> all();
  static std::shared_ptr<SharedZone> adopt(Fd memory);
  ~SharedZone();
  SharedZone(const SharedZone&) = delete;
  SharedZone& operator=(const SharedZone&) = delete;

  // Holds the zone. Where a process has died while it did, the zone is emptied first: its contents may be half written.
  class SEAWALL_API Lock {
   public:
    explicit Lock(SharedZone& zone);
    ~Lock();
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;
    bool emptied() const { return emptied_; }

   private:
    SharedZone& zone_;
    bool emptied_;
  };

  // All below: under the Lock.
  ZoneRef allocate(std::size_t bytes);  // aligned to 16, not zeroed
  void free(ZoneRef ref);
  template <class T>
  T* at(ZoneRef ref) { return ref ? reinterpret_cast<T*>(memory_ + std::size_t{ref} * 8) : nullptr; }
  ZoneRef ref_of(const void* place) const { return static_cast<ZoneRef>((static_cast<const char*>(place) - memory_) / 8); }
  void empty();
  // How often it has been emptied: a ZoneRef taken before is worth nothing after.
  std::uint64_t epoch() const;
  // Where the user's own begins; 0 in an empty zone.
  ZoneRef root() const;
  void set_root(ZoneRef ref);
  std::size_t free_pages() const;

  // A text of the user's about the contents (a key), kept when the zone is emptied; cut at 1000 bytes. Of this process and those
  // that it forks, and handed on with the memory: not what a worker may have written. Start-up thread, without the Lock, which a
  // worker that stands still would hold for ever.
  const std::string& note() const { return note_; }
  // Sets it where there is none; false: there is another.
  bool note_as(std::string_view text);
  std::size_t size() const { return size_; }
  int fd() const { return memory_fd_.get(); }  // of the memory

 private:
  struct Head;
  struct Page;
  SharedZone(const std::string& name, std::size_t bytes, const std::string& use);
  SharedZone(Fd memory, std::size_t bytes);
  bool understood() const;
  Head& head() const { return *reinterpret_cast<Head*>(memory_); }
  Page& page(std::uint32_t number) const;
  void* memory_of(std::uint32_t page) const;
  std::uint32_t take_run(std::uint32_t pages);
  void free_run(std::uint32_t first, std::uint32_t pages);
  void link(std::uint32_t& list, std::uint32_t page);
  void unlink(std::uint32_t& list, std::uint32_t page);
  ZoneRef take_chunk(std::size_t kind);
  void free_chunk(std::uint32_t page, std::size_t offset);

  const std::size_t size_;
  Fd memory_fd_;
  char* memory_;
  std::string note_;
};

}  // namespace seawall
