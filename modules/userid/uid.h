// Uid: the number of a client, 128 bits, as nginx makes them: service, time, process, sequence. One loop.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace seawall {
class Exchange;
class Loop;
}

namespace seawall::userid {

class Uid {
 public:
  // Out of the 22 characters of base64 with which a cookie begins; nothing: they are none.
  static std::optional<Uid> decode(std::string_view cookie);
  std::string encode() const;  // 24 characters
  std::string hex() const;     // each word as this machine reads it, nginx's form in logs
  bool exists() const { return words[3] != 0; }

  std::array<std::uint32_t, 4> words{};
};

// Makes the uids of a loop: no two alike.
class UidMaker {
 public:
  explicit UidMaker(const Loop& loop);
  Uid make_v1(std::optional<std::int64_t> service);
  // Without a service the address of the server stands in its place.
  Uid make_v2(const Exchange& x, std::optional<std::int64_t> service);

 private:
  std::uint32_t start_, sequence_v1_ = 1, sequence_v2_ = kFirstV2;
  static constexpr std::uint32_t kFirstV2 = 0x03030302;  // no byte of a sequence in network order is 0 at first
};

}  // namespace seawall::userid
