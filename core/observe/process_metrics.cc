#include "seawall/observe/process_metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <fstream>
#include <memory>
#include <string>

#include "seawall/observe/gathering.h"

namespace seawall {
namespace {

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

// As in /proc/self/fd, without the one that reads it.
double open_files() {
  const std::unique_ptr<DIR, CloseDir> dir(::opendir("/proc/self/fd"));
  if (!dir) return -1;
  int n = -1;
  while (const dirent* entry = ::readdir(dir.get()))
    if (entry->d_name[0] != '.') ++n;
  return n;
}

double seconds(const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; }

// The number of field `index` (from 0) in a file of numbers; 0 when it is not there.
double number_in(const char* path, int index) {
  std::ifstream file(path);
  double value = 0;
  for (int i = 0; i <= index; ++i)
    if (!(file >> value)) return 0;
  return value;
}

// CLOCK_REALTIME of the process's start; its field 22 counts ticks since the machine's.
double start_time() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const auto behind_name = line.rfind(')');
  if (behind_name == std::string::npos) return 0;
  unsigned long long ticks = 0;
  constexpr const char* kTo22 = ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu";
  if (std::sscanf(line.c_str() + behind_name, kTo22, &ticks) != 1) return 0;
  timespec real{}, up{};
  ::clock_gettime(CLOCK_REALTIME, &real);
  ::clock_gettime(CLOCK_BOOTTIME, &up);
  const auto of = [](const timespec& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9; };
  return of(real) - of(up) + static_cast<double>(ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace

void collect_process(Gathering& out) {
  if (const double n = open_files(); n >= 0) out.gauge("process_open_fds", "Open file descriptors.").add(n);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0)
    out.gauge("process_max_fds", "The most file descriptors that may be open.").add(static_cast<double>(limit.rlim_cur));
  rusage used{};
  if (::getrusage(RUSAGE_SELF, &used) == 0)
    out.counter("process_cpu_seconds", "CPU time in user and system mode.").add(seconds(used.ru_utime) + seconds(used.ru_stime));
  const double page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  out.gauge("process_virtual_memory_bytes", "Virtual memory.").add(number_in("/proc/self/statm", 0) * page);
  out.gauge("process_resident_memory_bytes", "Resident memory.").add(number_in("/proc/self/statm", 1) * page);
  out.gauge("process_start_time_seconds", "When the worker began, in seconds since the epoch.").add(start_time());
}

}  // namespace seawall
