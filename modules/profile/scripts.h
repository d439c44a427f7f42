// Profiles of scripts: what the profiler that a loop has of them (observe/script_profile.h) says, as data.
#pragma once
#include "loops.h"
#include "profile_data.h"
#include "seawall/async/task.h"

namespace seawall::profile {

class ScriptProfile {
 public:
  Asked how = Asked::nothing_there;  // no scripts run there
  ProfileData data;
};

// Of that loop, for so long; less when it ends before. Waits for it.
Task<ScriptProfile> profile_scripts(LoopThread of, Milliseconds time);

}  // namespace seawall::profile
