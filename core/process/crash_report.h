// What a worker says when it crashes: the signal, the request that its thread was at, and a backtrace, on standard error (which is
// an error log in the background). Then the signal does its work: a core file, and the supervisor starts another worker.
#pragma once

namespace seawall {

// Once, in a worker. Not where a sanitizer reports crashes itself.
void install_crash_report();

}  // namespace seawall
