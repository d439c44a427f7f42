#include "seawall/cache/cache_entry.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "seawall/base/text.h"
#include "seawall/server/temporary_file.h"

namespace seawall {
namespace {

constexpr std::size_t kFirstRead = sizeof(CacheEntryHead) + 1024 + CacheEntry::kSmall;

std::uint32_t crc(std::uint32_t before, std::string_view bytes) {
  return static_cast<std::uint32_t>(::crc32_z(before, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

std::string_view bytes_of(const CacheEntryHead& head) { return {reinterpret_cast<const char*>(&head), sizeof head}; }

std::uint32_t check_of(CacheEntryHead head, std::string_view texts) {
  head.check = 0;
  return crc(crc(0, bytes_of(head)), texts);
}

// As many as there are, up to the room's size; an error as nothing.
std::optional<std::size_t> read_at(int fd, char* into, std::size_t size, std::size_t offset) {
  std::size_t all = 0;
  while (all < size) {
    const ssize_t n = ::pread(fd, into + all, size - all, static_cast<off_t>(offset + all));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::nullopt;
    if (n == 0) break;
    all += static_cast<std::size_t>(n);
  }
  return all;
}

// What the kernel calls this run of the machine: what was written in it is in its memory, whole, whoever was killed meanwhile.
std::array<std::uint8_t, 16> read_boot() {
  std::array<std::uint8_t, 16> boot{};
  const Fd fd(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  char text[36];
  if (!fd || read_at(fd.get(), text, sizeof text, 0) != sizeof text) return boot;  // no such file: bodies are checked each time
  std::string digits;
  for (const char c : text)
    if (c != '-') digits += c;
  if (const auto id = CacheHash::parse(digits)) boot = id->bytes;
  return boot;
}

const std::array<std::uint8_t, 16>& this_boot() {
  static const std::array<std::uint8_t, 16> boot = read_boot();
  return boot;
}

// The folders of a file's path, from the outermost.
void make_folders(const std::string& file) {
  for (auto slash = file.find('/', 1); slash != std::string::npos; slash = file.find('/', slash + 1))
    ::mkdir(file.substr(0, slash).c_str(), 0700);
}

}  // namespace

bool CacheEntry::read(int fd, std::string_view key) {
  struct stat file;
  if (::fstat(fd, &file) != 0) return false;
  stamp = FileStamp(file);
  return read_head(fd, key);
}

bool CacheEntry::read_head(int fd, std::string_view key) {
  const std::size_t first = std::min(kFirstRead, static_cast<std::size_t>(stamp.size));
  storage = Block::make(first);
  auto n = read_at(fd, storage->data(), first, 0);
  if (!n || *n < sizeof head) return false;
  std::memcpy(&head, storage->data(), sizeof head);
  if (head.layout != CacheEntryHead::kLayout || head.size > CacheEntryHead::kLargest) return false;
  const std::uint64_t texts = std::uint64_t{head.key_size} + head.vary_size + head.fields_size;
  if (head.size != sizeof head + texts || head.key_size != key.size()) return false;
  if (head.size > *n) {
    storage = Block::make(head.size);
    n = read_at(fd, storage->data(), head.size, 0);
    if (n != head.size) return false;
  }
  const std::string_view all(storage->data() + sizeof head, static_cast<std::size_t>(texts));
  if (check_of(head, all) != head.check || all.substr(0, head.key_size) != key) return false;
  vary = all.substr(head.key_size, head.vary_size);
  fields = all.substr(head.key_size + head.vary_size);
  if (static_cast<std::uint64_t>(stamp.size) != head.size + head.body_size) return false;
  if (*n == static_cast<std::size_t>(stamp.size))  // all of it is here
    small_ = Slice(Ref<Owner>(storage), {storage->data() + head.size, static_cast<std::size_t>(head.body_size)});
  return true;
}

bool CacheEntry::is_checked() const { return head.boot == this_boot() && head.boot != std::array<std::uint8_t, 16>{}; }

// Several requests may have found the file unchecked.
bool CacheEntry::was_checked_meanwhile() const {
  CacheEntry now;
  now.storage = Block::make(sizeof head);
  if (read_at(file_->fd.get(), now.storage->data(), sizeof head, 0) != sizeof head) return false;
  std::memcpy(&now.head, now.storage->data(), sizeof head);
  return now.is_checked();
}

bool CacheEntry::check_body() const {
  if (!file_) return crc(0, small_.view()) == head.body_check;
  const Ref<Block> block = Block::make(64 * 1024);
  std::uint32_t check = 0;
  for (std::uint64_t at = 0; at < head.body_size;) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(block->capacity(), head.body_size - at));
    if (read_at(file_->fd.get(), block->data(), wanted, static_cast<std::size_t>(head.size + at)) != wanted) return false;
    check = crc(check, {block->data(), wanted});
    at += wanted;
  }
  return check == head.body_check;
}

bool CacheEntry::check(const std::string& file) {
  if (file_ && was_checked_meanwhile()) return true;
  if (!check_body()) return false;
  head.boot = this_boot();
  // A folder that cannot be written to: checked again the next time.
  static_cast<void>(rewrite(file));
  return true;
}

Result<CacheEntry> CacheEntry::open(const std::string& file, std::string_view key) {
  Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd) return system_error_code(errno);
  CacheEntry entry;
  bool whole = entry.read(fd.get(), key);
  if (!whole) whole = entry.read(fd.get(), key);  // its times were being written at that moment
  if (!whole) return Errc::bad_request;
  if (entry.small_.empty() && entry.head.body_size > 0) entry.file_ = std::make_shared<OpenFile>(std::move(fd));
  if (!entry.is_checked() && !entry.file_ && !entry.check(file)) return Errc::bad_request;
  return entry;
}

Body CacheEntry::body() const {
  if (file_) return FilePart(file_, head.size, head.body_size);
  return small_;
}

Result<void> CacheEntry::rewrite(const std::string& file) const {
  const Fd fd(::open(file.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd) return system_error_code(errno);
  CacheEntryHead changed = head;
  changed.check = check_of(head, {storage->data() + sizeof head, head.size - sizeof head});
  return write_at(fd.get(), bytes_of(changed), 0);
}

CacheEntryWriter::~CacheEntryWriter() {
  if (!name_.empty()) ::unlink(name_.c_str());
}

Result<void> CacheEntryWriter::begin(const std::string& folder, const CacheEntryHead& head, std::string_view key, std::string_view vary,
                                     std::string_view fields) {
  head_ = head;
  head_.key_size = static_cast<std::uint32_t>(key.size());
  head_.vary_size = static_cast<std::uint32_t>(vary.size());
  head_.fields_size = static_cast<std::uint32_t>(fields.size());
  texts_.append(key).append(vary).append(fields);
  if (sizeof head_ + texts_.size() > CacheEntryHead::kLargest) return Errc::exhausted;
  head_.size = static_cast<std::uint32_t>(sizeof head_ + texts_.size());
  head_.boot = this_boot();
  Result<Fd> file = make_named_file(folder, name_);
  if (!file) return file.error();
  fd_ = std::move(*file);
  return {};
}

Result<void> CacheEntryWriter::append(std::string_view bytes) {
  if (Result<void> written = write_at(fd_.get(), bytes, head_.size + head_.body_size); !written) return written;
  head_.body_size += bytes.size();
  head_.body_check = crc(head_.body_check, bytes);
  return {};
}

Result<void> CacheEntryWriter::move(const std::string& file) {
  if (::rename(name_.c_str(), file.c_str()) == 0) {
    name_.clear();
    return {};
  }
  if (errno == ENOENT) {
    make_folders(file);
    if (::rename(name_.c_str(), file.c_str()) == 0) {
      name_.clear();
      return {};
    }
  }
  return system_error_code(errno);
}

// The head comes last: until then the file begins with zeros.
Result<std::int64_t> CacheEntryWriter::commit(const std::string& file) {
  head_.check = check_of(head_, texts_);
  std::string start(bytes_of(head_));
  start += texts_;
  if (const Result<void> written = write_at(fd_.get(), start, 0); !written) return written.error();
  struct stat disk;
  if (::fstat(fd_.get(), &disk) != 0) return system_error_code(errno);
  if (const Result<void> moved = move(file); !moved) return moved.error();
  fd_.reset();
  return std::max<std::int64_t>(static_cast<std::int64_t>(disk.st_blocks) * 512, 1);
}

}  // namespace seawall
