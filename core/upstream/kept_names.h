// KeptNames: names of upstream servers that are asked for at run time (`server ... resolve`): whenever what is known of one has lived
// its time, the peers of its group become what the answer says, for all loops. The first loop asks; in the zone of a group the next
// configuration finds what was heard last. One loop.
#pragma once
#include <deque>
#include <map>
#include <memory>

#include "seawall/net/resolver.h"
#include "seawall/upstream/group.h"

namespace seawall {

// Of zones that hold names: who understands the contents, in which version.
inline constexpr const char* kNamesUse = "upstream 1";

class KeptNames {
 public:
  // In the loop's scope, until that is cancelled. The groups outlive it, and this the tasks.
  void keep(Loop& loop, const std::deque<std::shared_ptr<Group>>& groups);

 private:
  std::map<const NameServers*, std::unique_ptr<Resolver>> resolvers_;
};

}  // namespace seawall
