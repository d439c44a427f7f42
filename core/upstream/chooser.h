// PeerChooser: who says which server each try goes to, in place of the group's own ways (balancer_by_lua). Set at start-up; any loop.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "seawall/async/deadline.h"
#include "seawall/base/export.h"
#include "seawall/net/address.h"

namespace seawall {

class Exchange;
class Invocation;

// How long a connection is kept, other than the group says.
class KeptFor {
 public:
  KeptFor(Milliseconds idle, std::uint64_t requests) : idle(idle), requests(requests) {}
  Milliseconds idle;
  std::uint64_t requests;  // that it may serve; 0: any number
};

class PeerChooser {
 public:
  virtual ~PeerChooser() = default;

  // One try, and what has come of the one before it.
  class Try {
   public:
    enum class Before : std::uint8_t { none, next, failed };  // the first; it answered, but another is asked; it failed
    Before before = Before::none;
    int status = 0;        // of the one before
    int most_more = 0;     // tries that may still be asked for
    // What is chosen. No address: the group chooses in its own way.
    Address address;
    int more_tries = 0;    // than the group's servers would get
    std::string name;      // of the server, for TLS; empty: whom the request is passed to
    Milliseconds connect{-1}, send{-1}, read{-1};  // of this try and those after it; negative: the location's
    std::optional<KeptFor> keeps;                  // the connection, behind this request; none: as the group does
  };
  // Never waits. 0: as `next` says; else nobody is asked, and the request is answered with this status.
  virtual int choose(Exchange& x, Try& next) const = 0;
};

// Of the upstream block that is being read. ConfigError: it has one.
SEAWALL_API void set_chooser(const Invocation& in, std::shared_ptr<const PeerChooser> chooser);

}  // namespace seawall
