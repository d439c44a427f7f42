// Talkers: which clients ask most, of a bounded number of addresses: Space-Saving (Metwally, Agrawal, El Abbadi 2005). Who asks more
// than one of kKept requests is among them; a newcomer takes the place, and the count, of the one who asked least. Each loop has
// its own; any thread reads.
#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "seawall/net/address.h"

namespace seawall::status {

class Talker {
 public:
  std::string address;
  std::uint64_t requests = 0, bytes = 0;
};

class Talkers {
 public:
  Talkers();
  ~Talkers();
  void count(const Address& client, std::uint64_t bytes);

  // The most talkative of all loops of this process, at most `most`.
  static std::vector<Talker> top(std::size_t most);

 private:
  static constexpr std::size_t kKept = 200;
  void make_room(Talker& newcomer);
  std::mutex mutex_;
  std::map<std::string, Talker> known_;  // by Address::binary
};

}  // namespace seawall::status
