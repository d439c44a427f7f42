#include "uid.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <ctime>

#include "seawall/base/base64.h"
#include "seawall/net/loop.h"
#include "seawall/server/exchange.h"

namespace seawall::userid {
namespace {

constexpr std::size_t kBytes = 16;

std::uint32_t now() { return static_cast<std::uint32_t>(std::time(nullptr)); }

// The last four bytes of the address, as they lie in memory.
std::uint32_t server_word(const Exchange& x) {
  if (x.connection.local.is_unix()) return 0;
  const std::string address = x.connection.local.binary();
  std::uint32_t word = 0;
  if (address.size() >= sizeof word) std::memcpy(&word, address.data() + address.size() - sizeof word, sizeof word);
  return word;
}

}  // namespace

std::optional<Uid> Uid::decode(std::string_view cookie) {
  const auto bytes = decode_base64(cookie.substr(0, 22));
  if (!bytes || bytes->size() != kBytes) return std::nullopt;
  Uid uid;
  std::memcpy(uid.words.data(), bytes->data(), kBytes);
  return uid;
}

std::string Uid::encode() const {
  unsigned char bytes[kBytes], text[25];
  std::memcpy(bytes, words.data(), kBytes);
  const int length = EVP_EncodeBlock(text, bytes, kBytes);
  return std::string(reinterpret_cast<char*>(text), static_cast<std::size_t>(length));
}

std::string Uid::hex() const {
  char text[33];
  std::snprintf(text, sizeof text, "%08X%08X%08X%08X", words[0], words[1], words[2], words[3]);
  return text;
}

UidMaker::UidMaker(const Loop& loop) {
  timeval time{};
  ::gettimeofday(&time, nullptr);
  const auto fraction = static_cast<std::uint32_t>(time.tv_usec / 20 + loop.number());
  start_ = fraction << 16 | (static_cast<std::uint32_t>(::getpid()) & 0xffff);
}

Uid UidMaker::make_v1(std::optional<std::int64_t> service) {
  Uid uid;
  uid.words = {static_cast<std::uint32_t>(service.value_or(0)), now(), start_, sequence_v1_};
  sequence_v1_ += 0x100;
  return uid;
}

Uid UidMaker::make_v2(const Exchange& x, std::optional<std::int64_t> service) {
  Uid uid;
  const std::uint32_t first = service ? htonl(static_cast<std::uint32_t>(*service)) : server_word(x);
  uid.words = {first, htonl(now()), htonl(start_), htonl(sequence_v2_)};
  sequence_v2_ += 0x100;
  if (sequence_v2_ < kFirstV2) sequence_v2_ = kFirstV2;
  return uid;
}

}  // namespace seawall::userid
