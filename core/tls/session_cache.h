// SessionCache: TLS sessions by their id, for clients that resume without tickets. A bounded piece of shared memory: the
// loops of a worker and the generations over a reload have one; what is oldest goes first, as in nginx. Any thread.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "seawall/base/shared_memory.h"

namespace seawall {

class SEAWALL_API SessionCache {
 public:
  // nginx's bounds: what is longer is not kept.
  static constexpr std::size_t kLongestId = 32, kLongestSession = 4096;

  explicit SessionCache(std::size_t bytes);
  // ssl_session_cache shared:NAME:SIZE: one for all who ask for the same, as long as one of them has it. Start-up thread.
  static std::shared_ptr<SessionCache> shared(const std::string& name, std::size_t bytes);

  // Times are seconds of one clock that all processes share.
  void put(std::string_view id, std::string_view session, std::int64_t expires, std::int64_t now);
  std::string get(std::string_view id, std::int64_t now);  // empty: none
  void remove(std::string_view id);

 private:
  struct Head;
  struct Entry;
  void clear();
  std::uint32_t& bucket_of(std::string_view id);
  Entry& at(std::uint32_t offset);
  Entry* find(std::string_view id);
  void unlink(Entry& entry);
  void make_room(std::size_t size);

  SharedMemory memory_;
  Head* head_;
  std::uint32_t* buckets_;
  char* ring_;
  std::uint32_t bucket_count_;
  std::size_t ring_size_;
};

}  // namespace seawall
