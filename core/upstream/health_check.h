// Health checks: the servers of a group are asked again and again whether they are well (directive health_check), by the worker's
// first loop, and those that are not get no requests from any loop. A check is a request in its location, made of its settings: the
// same fields, TLS and timeouts as a client's, without access rules, caches and the access log. One loop.
#pragma once
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "seawall/config/directive.h"
#include "seawall/config/tree.h"
#include "seawall/upstream/group.h"
#include "seawall/upstream/match.h"

namespace seawall {

class Location;
class Loop;
class Settings;
class Vhost;

// One health_check line. Written at start-up.
class HealthCheck {
 public:
  explicit HealthCheck(const Invocation& in);  // ConfigError

  const Settings* settings;          // of the location
  const Location* location;
  Place place;
  std::chrono::milliseconds interval{5000}, jitter{0};
  int fails = 1, passes = 1;         // in a row, before a peer changes its state
  std::string uri = "/", path;       // as it is sent; decoded
  bool mandatory = false;            // peers get nothing before they have passed
  bool tcp = false;                  // a connection is enough
  std::uint16_t port = 0;            // 0: the peer's
  std::string match_name;            // empty: none
  std::shared_ptr<const Match> match;
  std::shared_ptr<Group> group;      // that the location passes to
  int number = 0;                    // among the group's, from 0
  static constexpr int kMost = 32;   // of a group

 private:
  void read_word(const std::string& word);
};

class UpstreamConf;

// All of a worker. The configuration outlives it.
class HealthChecks {
 public:
  // At start-up, once all names are known: whose group each check is about. ConfigError.
  static void link(UpstreamConf& conf);
  // On the first loop, in its scope: until that is cancelled, or the loop drains.
  static void start(Loop& loop, const UpstreamConf& conf, const std::deque<Vhost>& vhosts);
};

}  // namespace seawall
