// TicketKeys: what session tickets are sealed with. Either keys that rotate by themselves, which loops, generations
// and a new binary share (tls_zone.h), or those of ssl_session_ticket_key, of which the first seals. Any thread.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "seawall/base/export.h"

namespace seawall {

class TicketKey {
 public:
  unsigned char name[16];
  unsigned char aes[32], mac[32];
  std::uint8_t size;  // of aes and mac: 16 or 32
};

class SEAWALL_API TicketKeys {
 public:
  virtual ~TicketKeys() = default;
  virtual TicketKey sealing() = 0;
  // `newest`: it is the sealing one. Nothing: the ticket is not ours, or too old.
  virtual std::optional<TicketKey> find(std::span<const unsigned char, 16> name, bool& newest) = 0;

  // A key seals for `lifetime` and opens for as long again, so that a ticket is good for `lifetime` at least; then it is
  // gone for good. One ring for all who ask for the same lifetime. Start-up thread.
  static std::shared_ptr<TicketKeys> rotating(std::chrono::seconds lifetime);
  // Files of 48 or 80 bytes as they came from the disk. TlsError: another size ("must be 48 or 80 bytes").
  static std::shared_ptr<TicketKeys> fixed(const std::vector<std::string>& contents);
};

}  // namespace seawall
