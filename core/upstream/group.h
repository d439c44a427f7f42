// Group: the servers behind a name: an upstream block, or the one address that a proxy_pass (or its kin) says itself. Made at
// start-up; immutable afterwards but for what loops share (`zone`). Any loop.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "seawall/base/export.h"
#include "seawall/config/directive.h"
#include "seawall/config/template.h"
#include "seawall/config/tree.h"
#include "seawall/net/address.h"
#include "seawall/upstream/url.h"

namespace seawall {

class Balancer;
class NameServers;
class PeerChooser;
class Sticky;
class Zone;

// A server line of an upstream.
class UpstreamServer {
 public:
  UpstreamUrl url;
  std::string text;  // as written
  Place place;
  int weight = 1;
  int max_conns = 0;  // 0: no limit
  int max_fails = 1;  // 0: never out
  std::chrono::seconds fail_timeout{10};
  std::chrono::milliseconds slow_start{0};  // how long its weight takes to grow again once it is back; 0: it is there at once
  bool backup = false, down = false;
  bool drain = false;   // only for those who stick to it
  std::string route;    // its name for those; empty: one is made of the address
  bool resolve = false; // a name that is asked for at run time, again and again
  std::string service;  // ... as SRV records; empty: as addresses
};

// One address of a server.
class Peer {
 public:
  Address address;
  std::string name;  // as in $upstream_addr: "127.0.0.1:80", "unix:/path"
  std::string id;    // what a sticky group knows it by, else empty
  std::string label; // what the consistent hash knows it by: the server as written, or the host of an SRV record
  int weight = 1;
  const UpstreamServer* server = nullptr;
};

enum class Balance : std::uint8_t {
  round_robin, least_conn, ip_hash, hash, consistent_hash, random, random_two, random_two_least_time, least_time,
};

class SEAWALL_API Group {
 public:
  Group();
  ~Group();
  Group(const Group&) = delete;

  std::string name;
  std::uint16_t port = 0;    // of an address; 0 for a block
  bool is_block = false;
  Place place;               // of the block, or of the directive that named it first
  int number = -1;           // among the configuration's groups; -1: made for one request
  std::deque<UpstreamServer> servers;
  Balance balance = Balance::round_robin;
  bool balance_is_set = false;
  Template key;              // of the hashes
  bool time_to_header = false;  // least_time: to the response's head instead of its end
  bool counts_inflight = false; // ... requests under way, too
  std::unique_ptr<const Sticky> sticky;  // null: none
  std::shared_ptr<const PeerChooser> chooser;  // null: the group chooses itself

  // Idle connections that each loop keeps; 0: none.
  std::int64_t keepalive = 0;
  bool keepalive_local = false;  // only for the location that made them
  std::int64_t keepalive_requests = 1000;
  std::chrono::milliseconds keepalive_time{3600'000}, keepalive_timeout{60'000};

  bool shared = false;       // the loops share what they know of its peers (zone)
  const Zone* zone = nullptr;  // where the next configuration finds the addresses of names; null: nowhere
  std::unique_ptr<Balancer> common;  // ... here
  mutable std::atomic<std::int64_t> waiting = 0;  // requests for which no server can be reached (proxy_wait), of all loops

  int health_checks = 0;       // how many there are
  std::uint32_t must_pass = 0; // a bit for each that a peer has to pass before it gets anything

  // Who is asked for names at run time, and how long that may take.
  std::shared_ptr<const NameServers> name_servers;
  std::chrono::milliseconds resolver_timeout{30'000};
  bool resolver_timeout_is_set = false;
  bool resolves() const;     // some of its names
  bool starts_slowly() const;
  bool takes_backups() const;  // the way of choosing goes by who there is, not by the request or by chance

  // Peers in the order of their servers; backups come last resort.
  std::vector<Peer> primary, backup;
  // Looks the servers' names up, and waits for that. A name that is not found is warned of, and its server left out.
  void resolve(const std::function<void(const std::string&)>& warn);
  void add(const Address& address, const UpstreamServer& server);
  Peer make_peer(const Address& address, const UpstreamServer& server) const;
};

// The group that `url` names, now or later in the configuration: the same for all who name it. ConfigError: it is a block, and
// a port was written. While binding only.
SEAWALL_API std::shared_ptr<const Group> refer_to_group(const Invocation& in, const UpstreamUrl& url);

class Exchange;
// The same for a URL that only a request has made: a group of the configuration, or one of its own for an address. Null: a name
// that nobody has looked up. On a loop.
SEAWALL_API std::shared_ptr<const Group> group_at_run_time(Exchange& x, const UpstreamUrl& url);

}  // namespace seawall
