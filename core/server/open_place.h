// A connection's place among those of its loop, while it lives: for who looks at all of them (server/loop_tasks.h). One loop.
#pragma once
#include "seawall/base/list.h"

namespace seawall {

class Connection;

class OpenPlace final : public ListNode {
 public:
  explicit OpenPlace(const Connection& connection);
  const Connection& connection;
};

// The calling thread's, the oldest first.
List<OpenPlace>& open_places();

}  // namespace seawall
