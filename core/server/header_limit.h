// HeaderLimit: how many connections of one address may be in the middle of a request head (B32, limit_conn_header). A
// connection counts once it has made us wait for a second, so that bursts of honest clients never meet the limit.
// Shared by all loops of a process.
#pragma once
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "seawall/net/address.h"

namespace seawall {

class HeaderLimit {
 public:
  explicit HeaderLimit(std::int64_t limit) : limit_(limit) {}

  // Holds one place while a head is awaited.
  class Hold {
   public:
    Hold() = default;
    Hold(Hold&& o) noexcept : owner_(std::exchange(o.owner_, nullptr)), key_(std::move(o.key_)) {}
    Hold& operator=(Hold o) noexcept {
      std::swap(owner_, o.owner_);
      key_.swap(o.key_);
      return *this;
    }
    ~Hold() { if (owner_) owner_->leave(key_); }
    explicit operator bool() const { return owner_ != nullptr; }

   private:
    friend class HeaderLimit;
    Hold(HeaderLimit* owner, std::string key) : owner_(owner), key_(std::move(key)) {}
    HeaderLimit* owner_ = nullptr;
    std::string key_;
  };

  // A place for this address, or an empty Hold when it has all of its own in use. IPv6 counts by /64: one host has that.
  Hold enter(const Address& address);

 private:
  void leave(const std::string& key);
  const std::int64_t limit_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::int64_t> waiting_;
};

}  // namespace seawall
