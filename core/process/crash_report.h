// What a worker says when it crashes: the signal, the request that its thread was at, and a backtrace; the supervisor puts it into
// the error log (base/crash_output.h). Then the signal does its work: a core file, and another worker starts.
#pragma once
#include <memory>

namespace seawall {

// Once, in a worker. Not where a sanitizer reports crashes itself.
void install_crash_report();

// Where the report of a thread that has used up its stack finds one. On that thread, for as long as it runs; after
// install_crash_report().
class CrashStack {
 public:
  CrashStack();
  ~CrashStack();
  CrashStack(const CrashStack&) = delete;
  CrashStack& operator=(const CrashStack&) = delete;

 private:
  std::unique_ptr<char[]> memory_;
};

}  // namespace seawall
