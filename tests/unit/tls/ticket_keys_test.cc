#include "seawall/tls/ticket_keys.h"

#include <cstring>

#include "catch.h"
#include "seawall/tls/error.h"

using namespace seawall;

namespace {

std::optional<TicketKey> find(TicketKeys& keys, const TicketKey& key, bool& newest) {
  return keys.find(std::span<const unsigned char, 16>(key.name, 16), newest);
}

}  // namespace

TEST_CASE("rotating keys open what they sealed, and are one ring for a lifetime") {
  const auto keys = TicketKeys::rotating(std::chrono::seconds(300));
  const TicketKey key = keys->sealing();
  bool newest = false;
  const auto found = find(*TicketKeys::rotating(std::chrono::seconds(300)), key, newest);
  REQUIRE(found);
  CHECK(newest);
  CHECK(std::memcmp(found->aes, key.aes, 32) == 0);
  CHECK_FALSE(find(*TicketKeys::rotating(std::chrono::seconds(301)), key, newest));
}

TEST_CASE("files of keys have nginx's layouts") {
  std::string small, large;
  for (char c : {'n', 'a', 'm'}) small += std::string(16, c);
  large = std::string(16, 'N') + std::string(32, 'M') + std::string(32, 'A');
  const auto keys = TicketKeys::fixed({small, large});
  CHECK(keys->sealing().size == 16);
  CHECK(keys->sealing().aes[0] == 'a');
  CHECK(keys->sealing().mac[15] == 'm');
  TicketKey wanted{};
  std::memset(wanted.name, 'N', 16);
  bool newest = true;
  const auto found = find(*keys, wanted, newest);
  REQUIRE(found);
  CHECK_FALSE(newest);
  CHECK(found->size == 32);
  CHECK(found->aes[31] == 'A');
  CHECK(found->mac[0] == 'M');
  CHECK_THROWS_AS(TicketKeys::fixed({"short"}), TlsError);
}
