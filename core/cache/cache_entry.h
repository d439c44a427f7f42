// CacheEntry: a response as a file: a head with the layout's version, lengths and a check over it, the key, what the response
// varies by, its fields, its body. A file that is not whole is no entry: it is written elsewhere and renamed when it is complete,
// the check and the lengths tell what a crash has left, and the body of one that was written before the machine started is
// checked once more before it is sent for the first time. One loop; check() any thread.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "seawall/base/buffer.h"
#include "seawall/base/fd.h"
#include "seawall/base/result.h"
#include "seawall/cache/cache_hash.h"
#include "seawall/http/body.h"
#include "seawall/server/file.h"

namespace seawall {

// As it stands in the file, in this machine's byte order.
class SEAWALL_API CacheEntryHead {
 public:
  static constexpr std::array<char, 8> kLayout{'S', 'W', 'C', 'A', 'C', 'H', 'E', '1'};
  static constexpr std::size_t kLargest = 1 << 20;  // with key and fields

  std::array<char, 8> layout = kLayout;
  std::uint32_t check = 0;          // CRC-32 of all up to the body, with 0 in this place
  std::uint32_t size = 0;           // where the body begins
  std::uint64_t body_size = 0;
  std::uint32_t body_check = 0;     // CRC-32
  std::uint32_t key_size = 0, vary_size = 0, fields_size = 0;
  std::array<std::uint8_t, 16> boot{};     // of the machine that was running
  std::array<std::uint8_t, 16> variant{};  // hash of what the response varies by
  std::int64_t date = 0;            // s since 1970, as all times here: when it was made or last found unchanged, as far as its Age tells
  std::int64_t valid_until = 0;
  std::int64_t while_updating = 0, on_error = 0;   // s after that: stale-while-revalidate, stale-if-error
  std::int64_t last_modified = -1;  // -1: it did not say
  std::uint32_t status = 0, unused = 0;
};

class SEAWALL_API CacheEntry {
 public:
  // Bodies up to this size are read with the head.
  static constexpr std::size_t kSmall = 16 * 1024;

  // Errors: errno; bad_request: it is no whole entry of this key (a key of another program is none of ours, either).
  static Result<CacheEntry> open(const std::string& file, std::string_view key);

  CacheEntryHead head;
  FileStamp stamp;           // of the file when it was read
  Ref<Block> storage;        // of the views
  std::string_view key() const { return {storage->data() + sizeof head, head.key_size}; }
  bool is_small() const { return !file_; }
  std::string_view vary;
  std::string_view fields;   // NAME \0 VALUE \0 ...
  Body body() const;
  // False: it was written before the machine started, and is too long to be checked at once: check() it first.
  bool is_checked() const;
  // Reads the body. True: it is whole, and the file says that it has been checked.
  bool check(const std::string& file);
  // Times that have changed (the response was found unchanged). Errors: errno.
  Result<void> rewrite(const std::string& file) const;

 private:
  bool read(int fd, std::string_view key);
  bool read_head(int fd, std::string_view key);
  bool was_checked_meanwhile() const;
  bool check_body() const;
  Slice small_;
  std::shared_ptr<OpenFile> file_;
};

// Writes one; nothing is left of it unless commit() says so. One loop.
class SEAWALL_API CacheEntryWriter {
 public:
  CacheEntryWriter() = default;
  ~CacheEntryWriter();
  CacheEntryWriter(const CacheEntryWriter&) = delete;
  CacheEntryWriter& operator=(const CacheEntryWriter&) = delete;

  // Begins in this folder, which is made when it is missing. Errors: errno; exhausted: the texts are too long.
  Result<void> begin(const std::string& folder, const CacheEntryHead& head, std::string_view key, std::string_view vary,
                     std::string_view fields);
  Result<void> append(std::string_view bytes);
  // To its place, whose folders are made. The bytes it takes on the disk. Errors: errno.
  Result<std::int64_t> commit(const std::string& file);
  bool begun() const { return static_cast<bool>(fd_); }
  std::uint64_t size() const { return head_.body_size; }

 private:
  Result<void> move(const std::string& file);
  Fd fd_;
  std::string name_, texts_;
  CacheEntryHead head_;
};

}  // namespace seawall
