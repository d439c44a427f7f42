// Resolver: names of hosts and services become addresses by asking DNS servers (nginx's `resolver`), without blocking the loop:
// c-ares sends the questions, on the loop's libuv. What was found is kept for as long as its TTL says. One loop.
//
//   Resolved found = co_await resolver.resolve("app.internal", Deadline::in(30s, Wait::connect));
//   if (found.error) log(name + " could not be resolved (" + found.text() + ")");
#pragma once
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "seawall/async/event.h"
#include "seawall/net/address.h"
#include "seawall/net/dns_answer.h"

struct ares_channeldata;

namespace seawall {

class Loop;

// The servers to ask and how: one `resolver` line. Immutable after start-up, shared by the loops.
class NameServers {
 public:
  std::vector<Address> servers;
  std::optional<std::chrono::seconds> valid;  // instead of the TTL
  bool ipv4 = true, ipv6 = true;
};

class Resolved {
 public:
  std::vector<Address> addresses;       // without a port
  std::vector<ServiceRecord> services;  // of a service instead
  int error = 0;                        // why there are neither: a DNS response code (3: no such host), or ETIMEDOUT
  std::int64_t expires = 0;             // ns, of the loop's clock: when it is asked for again
  bool was_known = false;               // nobody had to be asked
  std::string text() const;             // as nginx says it: "3: Host not found"
};

// The hosts of a service, each with its addresses.
class ResolvedService {
 public:
  class Host {
   public:
    ServiceRecord record;
    Resolved found;  // addresses with the record's port
  };
  std::vector<Host> hosts;
  Resolved found;  // of the service itself: its error; the earliest end of all
};

class Resolver {
 public:
  Resolver(Loop& loop, const NameServers& conf);
  ~Resolver();  // after the loop's last task
  Resolver(const Resolver&) = delete;

  // ETIMEDOUT also when the scope is cancelled. Names are not completed with a search domain; capitals do not matter.
  Task<Resolved> resolve(std::string_view name, Deadline deadline);
  // The SRV records of `service` at `name`, and the addresses of their hosts: "http" stands for _http._tcp, what has a dot for itself.
  Task<ResolvedService> resolve_service(std::string service, std::string name, Deadline deadline);

 private:
  class Asker : public ListNode {
   public:
    Event done;
    Resolved result;
  };
  class Name {
   public:
    Resolved result;
    int asking = 0;  // questions under way
    std::vector<Resolved> answers;
    List<Asker> askers;
  };
  class Poll;
  class Query;
  struct Retry {  // the timer is first: fire() finds the resolver by it
    Timer timer;
    Resolver* owner;
  };

  Name* name_for(const std::string& key);
  Task<Resolved> find(std::string key, std::string name, bool service, Deadline deadline);
  void ask(const std::string& key, const std::string& name, bool service);
  void answered(const std::string& key, Resolved answer, std::int64_t ttl);
  void set_retry();
  static void socket_state(void* self, int fd, int readable, int writable);

  Loop& loop_;
  const NameServers& conf_;
  ares_channeldata* channel_ = nullptr;
  std::map<std::string, Name, std::less<>> names_;
  std::map<int, Poll*> polls_;  // libuv's, which frees them when they are closed
  Retry retry_;
};

}  // namespace seawall
