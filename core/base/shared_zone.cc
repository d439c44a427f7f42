// The allocator: pages of 4 KiB, each cut into chunks of one size or part of a longer run. Free runs lie in a list and know
// their length at both ends, so that neighbours grow together; pages with room lie in a list of their size.
#include "seawall/base/shared_zone.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <new>
#include <system_error>
#include <tuple>

#include "seawall/base/check.h"
#include "seawall/base/shared_memory.h"

namespace seawall {
namespace {

constexpr std::size_t kPage = 4096, kNote = 1000, kName = 200;
constexpr std::array<std::uint16_t, 13> kSizes{32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1360, 2048};
// Changes with whatever changes in the memory's layout: another binary may hand over what it understands alone.
constexpr std::uint64_t kLayout = 0x5365615a6f6e0001;
constexpr std::uint8_t kFree = 100, kLong = 101;  // of a page: a run's end; smaller: chunks of kSizes[kind]

}  // namespace

struct alignas(16) SharedZone::Head {
  std::uint64_t layout = kLayout, size = 0;
  SharedMutex mutex;
  std::uint64_t epoch = 0;
  std::uint32_t first = 0, pages = 0;  // the first page's number in the memory; how many follow
  std::uint32_t free_pages = 0;
  std::uint32_t runs = 0;              // lists hold numbers of pages from 1; 0: none
  std::array<std::uint32_t, kSizes.size()> with_room{};
  ZoneRef root = 0;
  std::uint32_t note_size = 0;
  char note[kNote];
  char name[kName] = {}, use[kName] = {};  // empty: longer than this, never handed over
};

struct SharedZone::Page {
  std::uint32_t next, prev;
  std::uint32_t length;       // of a run, at its first and last page
  std::uint16_t used, fresh;  // chunks: taken; never taken
  std::uint16_t free;         // chunk + 1 of those that came back; each holds the next
  std::uint8_t kind;
};

namespace {

using Key = std::tuple<std::string, std::size_t, std::string>;
std::map<Key, std::weak_ptr<SharedZone>>& open_zones() {
  static std::map<Key, std::weak_ptr<SharedZone>> zones;
  return zones;
}

}  // namespace

std::shared_ptr<SharedZone> SharedZone::open(const std::string& name, std::size_t bytes, const std::string& use) {
  auto& known = open_zones()[{name, bytes, use}];
  auto zone = known.lock();
  if (!zone) known = zone = std::shared_ptr<SharedZone>(new SharedZone(name, bytes, use));
  return zone;
}

std::vector<std::shared_ptr<SharedZone>> SharedZone::all() {
  std::vector<std::shared_ptr<SharedZone>> zones;
  for (const auto& [key, known] : open_zones())
    if (auto zone = known.lock()) zones.push_back(std::move(zone));
  return zones;
}

std::shared_ptr<SharedZone> SharedZone::adopt(Fd memory) {
  struct stat file;
  if (::fstat(memory.get(), &file) != 0) return nullptr;
  const auto bytes = static_cast<std::size_t>(file.st_size);
  if (!S_ISREG(file.st_mode) || bytes < kSmallest || bytes > kLargest) return nullptr;
  ::fcntl(memory.get(), F_SETFD, FD_CLOEXEC);
  std::shared_ptr<SharedZone> zone(new SharedZone(std::move(memory), bytes));
  if (!zone->understood()) return nullptr;
  zone->note_.assign(zone->head().note, std::min<std::size_t>(zone->head().note_size, kNote));
  open_zones()[{zone->head().name, bytes, zone->head().use}] = zone;
  return zone;
}

bool SharedZone::understood() const {
  const Head& h = head();
  return h.layout == kLayout && h.size == size_ && h.name[0] && h.use[0] && !h.name[kName - 1] && !h.use[kName - 1];
}

SharedZone::SharedZone(Fd memory, std::size_t bytes) : size_(bytes), memory_fd_(std::move(memory)) {
  void* const mapped = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory_fd_.get(), 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  memory_ = static_cast<char*>(mapped);
}

namespace {

Fd make_memory(const std::string& name, std::size_t bytes) {
  Fd fd(::memfd_create(("seawall " + name).substr(0, kName).c_str(), MFD_CLOEXEC));
  if (!fd || ::ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0)
    throw std::system_error(errno, std::generic_category(), "shared memory zone \"" + name + "\"");
  return fd;
}

}  // namespace

SharedZone::SharedZone(const std::string& name, std::size_t bytes, const std::string& use) : SharedZone(make_memory(name, bytes), bytes) {
  CHECK(bytes >= kSmallest && bytes <= kLargest);
  Head& h = *new (memory_) Head;
  h.size = bytes;
  if (name.size() < kName && use.size() < kName) {
    name.copy(h.name, kName);
    use.copy(h.use, kName);
  }
  const std::size_t pages = bytes / (kPage + sizeof(Page));
  h.first = static_cast<std::uint32_t>((sizeof(Head) + pages * sizeof(Page) + kPage - 1) / kPage);
  h.pages = static_cast<std::uint32_t>(bytes / kPage) - h.first;
  empty();
}

SharedZone::~SharedZone() { ::munmap(memory_, size_); }

SharedZone::Lock::Lock(SharedZone& zone) : zone_(zone), emptied_(!zone.head().mutex.lock()) {
  if (emptied_) zone.empty();
}

SharedZone::Lock::~Lock() { zone_.head().mutex.unlock(); }

void SharedZone::empty() {
  Head& h = head();
  ++h.epoch;
  h.root = h.runs = h.free_pages = 0;
  h.with_room.fill(0);
  free_run(1, h.pages);
}

std::uint64_t SharedZone::epoch() const { return head().epoch; }
ZoneRef SharedZone::root() const { return head().root; }
void SharedZone::set_root(ZoneRef ref) { head().root = ref; }
std::size_t SharedZone::free_pages() const { return head().free_pages; }

bool SharedZone::note_as(std::string_view text) {
  text = text.substr(0, kNote);
  if (!note_.empty()) return note_ == text;
  note_ = text;
  note_.copy(head().note, kNote);
  head().note_size = static_cast<std::uint32_t>(note_.size());
  return true;
}

SharedZone::Page& SharedZone::page(std::uint32_t number) const {
  return reinterpret_cast<Page*>(memory_ + sizeof(Head))[number - 1];
}

void* SharedZone::memory_of(std::uint32_t page) const { return memory_ + (std::size_t{head().first} + page - 1) * kPage; }

void SharedZone::link(std::uint32_t& list, std::uint32_t number) {
  Page& p = page(number);
  p.prev = 0;
  p.next = list;
  if (list) page(list).prev = number;
  list = number;
}

void SharedZone::unlink(std::uint32_t& list, std::uint32_t number) {
  const Page& p = page(number);
  if (p.next) page(p.next).prev = p.prev;
  if (p.prev) page(p.prev).next = p.next;
  else list = p.next;
}

// The first run that is long enough gives its end.
std::uint32_t SharedZone::take_run(std::uint32_t pages) {
  Head& h = head();
  std::uint32_t run = h.runs;
  while (run && page(run).length < pages) run = page(run).next;
  if (!run) return 0;
  const std::uint32_t left = page(run).length - pages, taken = run + left;
  if (left == 0) {
    unlink(h.runs, run);
  } else {
    page(run).length = page(run + left - 1).length = left;
    page(run + left - 1).kind = kFree;
  }
  h.free_pages -= pages;
  page(taken).kind = page(taken + pages - 1).kind = kLong;
  page(taken).length = page(taken + pages - 1).length = pages;
  return taken;
}

void SharedZone::free_run(std::uint32_t first, std::uint32_t pages) {
  Head& h = head();
  h.free_pages += pages;
  if (const std::uint32_t after = first + pages; after <= h.pages && page(after).kind == kFree) {
    pages += page(after).length;
    unlink(h.runs, after);
  }
  if (first > 1 && page(first - 1).kind == kFree) {
    const std::uint32_t before = page(first - 1).length;
    first -= before;
    pages += before;
    unlink(h.runs, first);
  }
  page(first).kind = page(first + pages - 1).kind = kFree;
  page(first).length = page(first + pages - 1).length = pages;
  link(h.runs, first);
}

ZoneRef SharedZone::take_chunk(std::size_t kind) {
  std::uint32_t& list = head().with_room[kind];
  const std::size_t size = kSizes[kind];
  std::uint32_t number = list;
  if (!number) {
    number = take_run(1);
    if (!number) return 0;
    Page& p = page(number);
    p.kind = static_cast<std::uint8_t>(kind);
    p.used = p.free = 0;
    p.fresh = static_cast<std::uint16_t>(kPage / size);
    link(list, number);
  }
  Page& p = page(number);
  char* const memory = static_cast<char*>(memory_of(number));
  char* chunk;
  if (p.free) {
    chunk = memory + (p.free - 1u) * size;
    std::memcpy(&p.free, chunk, sizeof p.free);
  } else {
    chunk = memory + (kPage / size - p.fresh--) * size;
  }
  ++p.used;
  if (!p.free && !p.fresh) unlink(list, number);
  return ref_of(chunk);
}

void SharedZone::free_chunk(std::uint32_t number, std::size_t offset) {
  Page& p = page(number);
  std::uint32_t& list = head().with_room[p.kind];
  CHECK(p.used > 0);
  if (!p.free && !p.fresh) link(list, number);
  std::memcpy(static_cast<char*>(memory_of(number)) + offset, &p.free, sizeof p.free);
  p.free = static_cast<std::uint16_t>(offset / kSizes[p.kind] + 1);
  if (--p.used > 0) return;
  unlink(list, number);
  free_run(number, 1);
}

ZoneRef SharedZone::allocate(std::size_t bytes) {
  const auto size = std::lower_bound(kSizes.begin(), kSizes.end(), bytes);
  if (size != kSizes.end()) return take_chunk(static_cast<std::size_t>(size - kSizes.begin()));
  if (bytes > size_) return 0;
  const std::uint32_t run = take_run(static_cast<std::uint32_t>((bytes + kPage - 1) / kPage));
  return run ? ref_of(memory_of(run)) : 0;
}

void SharedZone::free(ZoneRef ref) {
  const std::size_t offset = std::size_t{ref} * 8 - std::size_t{head().first} * kPage;
  const auto number = static_cast<std::uint32_t>(offset / kPage) + 1;
  CHECK(number >= 1 && number <= head().pages);
  if (page(number).kind < kSizes.size()) return free_chunk(number, offset % kPage);
  CHECK(page(number).kind == kLong && offset % kPage == 0);
  free_run(number, page(number).length);
}

}  // namespace seawall
