// What waits in this worker: of each loop its connections, their requests, and the coroutines that wait, with their asynchronous stacks.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "loops.h"
#include "profile_data.h"
#include "seawall/server/loop_tasks.h"
#include "symbols.h"

namespace seawall::profile {

class LoopPicture {
 public:
  LoopPicture(int number, std::optional<LoopTasks> tasks) : number(number), tasks(std::move(tasks)) {}
  int number;
  std::optional<LoopTasks> tasks;  // nothing: it is too busy to say
};

inline constexpr std::size_t kDefaultTasks = 1'000, kMostTasks = 10'000;

// Each on its own thread, of each so many; waits for them, but for a few seconds. Nothing: the scope was cancelled.
Task<std::optional<std::vector<LoopPicture>>> look_at(std::vector<LoopThread> loops, std::size_t most);

// Any thread.
std::string text_of(const std::vector<LoopPicture>& loops, Symbols& symbols);
// A sample is a coroutine that waits; the innermost frame says for what.
ProfileData profile_of(const std::vector<LoopPicture>& loops, Symbols& symbols);

}  // namespace seawall::profile
