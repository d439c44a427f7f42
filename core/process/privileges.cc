#include "seawall/process/privileges.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

#include "seawall/base/error.h"
#include "seawall/log/log.h"

namespace seawall {
namespace {

std::string failed(const std::string& call) { return call + " failed " + describe(system_error_code(errno)); }

std::string user_name(const MainConf& main) { return main.user->empty() ? "nobody" : *main.user; }

void set_limit(__rlimit_resource resource, const std::string& name, std::int64_t value) {
  rlimit limit;
  limit.rlim_cur = limit.rlim_max = static_cast<rlim_t>(value);
  if (::setrlimit(resource, &limit) < 0) log(Level::alert, failed("setrlimit(" + name + ", " + std::to_string(value) + ")"));
}

// What a program that is executed could gain. Who has no CAP_SETPCAP may not give it up (no_new_privs does the same).
void drop_bounding_set() {
  for (int one = 0; ::prctl(PR_CAPBSET_READ, one, 0, 0, 0) >= 0; ++one)
    if (::prctl(PR_CAPBSET_DROP, one, 0, 0, 0) < 0) break;
}

// Those of a manager's AmbientCapabilities, too, which outlive the change of identity. Of this thread alone: others come later.
void drop_capabilities() {
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2]{};
  if (::syscall(SYS_capset, &head, none) < 0) throw std::runtime_error(failed("capset()"));
}

void become(const MainConf& main) {
  const std::string name = user_name(main);
  const passwd* user = ::getpwnam(name.c_str());
  if (!user) throw std::runtime_error(failed("getpwnam(\"" + name + "\")"));
  const uid_t uid = user->pw_uid;
  gid_t gid = user->pw_gid;
  if (!main.group->empty()) {
    const group* entry = ::getgrnam(main.group->c_str());
    if (!entry) throw std::runtime_error(failed("getgrnam(\"" + *main.group + "\")"));
    gid = entry->gr_gid;
  }
  if (::setgid(gid) < 0) throw std::runtime_error(failed("setgid(" + std::to_string(gid) + ")"));
  if (::initgroups(name.c_str(), gid) < 0) throw std::runtime_error(failed("initgroups(" + name + ")"));
  if (::setuid(uid) < 0) throw std::runtime_error(failed("setuid(" + std::to_string(uid) + ")"));
}

}  // namespace

void set_limits(const MainConf& main, std::int64_t core_size) {
  if (*main.worker_rlimit_nofile > 0) set_limit(RLIMIT_NOFILE, "RLIMIT_NOFILE", *main.worker_rlimit_nofile);
  if (core_size >= 0) set_limit(RLIMIT_CORE, "RLIMIT_CORE", core_size);
  if (const auto nice = *main.worker_priority; nice != 0)
    if (::setpriority(PRIO_PROCESS, 0, static_cast<int>(nice)) < 0) log(Level::alert, failed("setpriority(" + std::to_string(nice) + ")"));
  if (!main.working_directory->empty() && ::chdir(main.working_directory->c_str()) < 0)
    log(Level::alert, failed("chdir(\"" + *main.working_directory + "\")"));
}

void end_with(pid_t supervisor) {
  ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
  if (::getppid() != supervisor) ::raise(SIGQUIT);
}

void drop_privileges(const MainConf& main, pid_t supervisor) {
  if (worker_user(main) != 0) drop_bounding_set();
  if (::geteuid() == 0) become(main);
  if (::geteuid() != 0) drop_capabilities();  // "user root" is the operator's word
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  end_with(supervisor);  // the change of identity has cleared it
  ::prctl(PR_SET_DUMPABLE, 1);
}

uid_t worker_user(const MainConf& main) {
  const passwd* user = ::geteuid() == 0 ? ::getpwnam(user_name(main).c_str()) : nullptr;
  return user ? user->pw_uid : static_cast<uid_t>(-1);
}

}  // namespace seawall
