#include "seawall/tls/ticket_keys.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <map>

#include "seawall/base/check.h"
#include "seawall/tls/error.h"
#include "seawall/tls/tls_zone.h"

namespace seawall {
namespace {

// The same for all processes, and nobody sets it back.
std::int64_t now() {
  timespec time;
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

bool has_name(const TicketKey& key, std::span<const unsigned char, 16> name) {
  return std::equal(name.begin(), name.end(), key.name);
}

class Rotating final : public TicketKeys {
 public:
  explicit Rotating(std::chrono::seconds lifetime)
      : lifetime_(std::chrono::nanoseconds(std::max(lifetime, std::chrono::seconds(1))).count()) {
    TlsZone::open();
  }

  TicketKey sealing() override {
    const TlsZone::Locked zone;
    return ring(*zone).current.key;
  }

  std::optional<TicketKey> find(std::span<const unsigned char, 16> name, bool& newest) override {
    const TlsZone::Locked zone;
    const TlsZone::Ring& own = ring(*zone);
    newest = has_name(own.current.key, name);
    if (newest) return own.current.key;
    if (own.previous.born != 0 && has_name(own.previous.key, name)) return own.previous.key;
    return std::nullopt;
  }

 private:
  using BornKey = TlsZone::BornKey;
  using Ring = TlsZone::Ring;

  // That of our lifetime, with a key that seals. When there are too many lifetimes the one whose key is the oldest gives way.
  Ring& ring(TlsZone::Contents& zone) const {
    auto own = std::find_if(zone.rings.begin(), zone.rings.end(), [&](const Ring& r) { return r.lifetime == lifetime_; });
    if (own == zone.rings.end()) {
      own = std::min_element(zone.rings.begin(), zone.rings.end(), [](const Ring& a, const Ring& b) { return a.current.born < b.current.born; });
      OPENSSL_cleanse(&*own, sizeof *own);
      own->lifetime = lifetime_;
    }
    rotate(*own);
    return *own;
  }

  void rotate(Ring& ring) const {
    const std::int64_t time = now();
    if (ring.current.born == 0 || time - ring.current.born > lifetime_) {
      ring.previous = ring.current;
      make(ring.current, time);
    }
    if (ring.previous.born != 0 && time - ring.previous.born > 2 * lifetime_) OPENSSL_cleanse(&ring.previous, sizeof ring.previous);
  }

  static void make(BornKey& born, std::int64_t time) {
    unsigned char random[80];
    CHECK(RAND_priv_bytes(random, sizeof random) == 1);
    std::memcpy(born.key.name, random, 16);
    std::memcpy(born.key.aes, random + 16, 32);
    std::memcpy(born.key.mac, random + 48, 32);
    born.key.size = 32;
    born.born = time;
    OPENSSL_cleanse(random, sizeof random);
  }

  const std::int64_t lifetime_;
};

class Fixed final : public TicketKeys {
 public:
  explicit Fixed(std::vector<TicketKey> keys) : keys_(std::move(keys)) {}
  TicketKey sealing() override { return keys_.front(); }
  std::optional<TicketKey> find(std::span<const unsigned char, 16> name, bool& newest) override {
    for (const TicketKey& key : keys_) {
      if (!has_name(key, name)) continue;
      newest = &key == &keys_.front();
      return key;
    }
    return std::nullopt;
  }

 private:
  const std::vector<TicketKey> keys_;
};

// The layouts of nginx's files: name, AES-128, HMAC; or name, HMAC, AES-256.
TicketKey parse(const std::string& content) {
  TicketKey key{};
  const char* from = content.data();
  std::memcpy(key.name, from, 16);
  if (content.size() == 48) {
    key.size = 16;
    std::memcpy(key.aes, from + 16, 16);
    std::memcpy(key.mac, from + 32, 16);
  } else {
    key.size = 32;
    std::memcpy(key.mac, from + 16, 32);
    std::memcpy(key.aes, from + 48, 32);
  }
  return key;
}

}  // namespace

std::shared_ptr<TicketKeys> TicketKeys::rotating(std::chrono::seconds lifetime) {
  static std::map<std::chrono::seconds, std::weak_ptr<TicketKeys>> all;
  auto& known = all[lifetime];
  auto keys = known.lock();
  if (!keys) known = keys = std::make_shared<Rotating>(lifetime);
  return keys;
}

std::shared_ptr<TicketKeys> TicketKeys::fixed(const std::vector<std::string>& contents) {
  std::vector<TicketKey> keys;
  for (const std::string& content : contents) {
    if (content.size() != 48 && content.size() != 80) throw TlsError("must be 48 or 80 bytes");
    keys.push_back(parse(content));
  }
  return std::make_shared<Fixed>(std::move(keys));
}

}  // namespace seawall
