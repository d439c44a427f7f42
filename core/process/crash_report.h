// What a worker says when it crashes: the signal, the request that its thread was at, and a backtrace; the supervisor puts it into
// the error log (base/crash_output.h). Then the signal does its work: a core file, and another worker starts.
#pragma once

namespace seawall {

// Once, in a worker. Not where a sanitizer reports crashes itself.
void install_crash_report();

}  // namespace seawall
