// What a client sends in front of a handler, into c.in: the head of a request, or HTTP/2's preface. What begins it is read where all
// connections of a thread read it, and kept in as much memory as it takes: a head stays there while its handler waits.
//
//   const Result<void> more = co_await read_more(c, c.head_clock.next());
#pragma once
#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <span>

#include "seawall/async/try_first.h"
#include "seawall/net/stream.h"
#include "seawall/server/connection.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/vhost.h"

namespace seawall {

// Mostly the bytes are there already.
class MoreInput {
 public:
  MoreInput(Connection& c, Deadline deadline)
      : c_(c), begins_(c.in.empty() && first_of(c) <= kCommon), room_(begins_ ? common_room() : c.in.prepare(first_of(c))),
        read_(*c.stream, room_, deadline) {}
  std::optional<Result<void>> now() {
    const std::optional<Result<std::size_t>> n = read_.now();
    if (!n) return std::nullopt;
    return taken(*n);
  }
  Task<Result<void>> later() {
    const Result<std::size_t> n = co_await read_.later();
    co_return taken(n);
  }

 private:
  // Nobody else reads between the end of the read and this.
  Result<void> taken(const Result<std::size_t>& n) {
    if (!n) return n.error();
    if (begins_) std::memcpy(c_.in.prepare(*n).data(), room_.data(), *n);
    c_.in.commit(*n);
    return {};
  }
  static constexpr std::size_t kCommon = 4096;
  // Not the loop's scratch memory, into which a TLS stream reads what it decrypts.
  static std::span<char> common_room() {
    thread_local std::array<char, kCommon> room;
    return room;
  }
  static std::size_t first_of(const Connection& c) {
    return static_cast<std::size_t>(std::max<std::int64_t>(1, *c.vhost->core->client_header_buffer_size));
  }
  Connection& c_;
  const bool begins_;
  const std::span<char> room_;
  SomeRead read_;
};

inline TryFirst<MoreInput> read_more(Connection& c, Deadline deadline) { return TryFirst<MoreInput>(std::in_place, c, deadline); }

}  // namespace seawall
