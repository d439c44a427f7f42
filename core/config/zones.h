// The shared memory zones of one configuration: a directive gives a zone its name and size (limit_req_zone), others name it
// (limit_req), before or after. The memory is that of the configuration before where name, size and use are the same.
// Declared at start-up; used on any loop.
#pragma once
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "seawall/base/shared_zone.h"
#include "seawall/config/tree.h"

namespace seawall {

class Invocation;

class SEAWALL_API Zone {
 public:
  // Holds the memory; says so in the log when it had to be emptied because a process died while it changed it.
  class SEAWALL_API Lock {
   public:
    explicit Lock(const Zone& zone);

   private:
    SharedZone::Lock lock_;
  };
  SharedZone& memory() const { return *memory_; }  // after the configuration is bound

  std::string name;
  std::size_t size = 0;  // bytes; 0: not declared yet
  std::string use;       // who understands the contents, in which version: "limit_req 1"
  Place place;           // where it was named first
  std::shared_ptr<const void> data;  // what its declaration says (the rate): the module's
  // Called when the memory is there; throws ConfigError when its present contents do not fit.
  std::function<void(Zone&)> opened;

 private:
  friend class ZoneTable;
  std::shared_ptr<SharedZone> memory_;
};

class SEAWALL_API ZoneTable {
 public:
  // The zone of that name; `size` 0: whatever it is declared with. ConfigError in nginx's wording: another use or size.
  Zone& get(const std::string& name, std::size_t size, const std::string& use, const Place& place);
  // The same for a parameter "zone=NAME:SIZE".
  Zone& declare(const Invocation& in, const std::string& parameter, const std::string& use);
  // Opens all. ConfigError: nobody has declared one that is named.
  void open();

 private:
  std::deque<Zone> zones_;
};

}  // namespace seawall
