#include "seawall/observe/script_profile.h"

namespace seawall {
namespace {

thread_local ScriptProfiler* this_thread = nullptr;

}  // namespace

void set_script_profiler(ScriptProfiler* profiler) { this_thread = profiler; }
ScriptProfiler* script_profiler() { return this_thread; }

}  // namespace seawall
