#include "e2e/php_fpm.h"

#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catch.h"
#include "e2e/folder.h"

namespace test {
namespace {

// Its name carries the version.
std::string program() {
  glob_t found{};
  std::string name;
  if (::glob("/usr/sbin/php-fpm*", 0, nullptr, &found) == 0 && found.gl_pathc > 0) name = found.gl_pathv[0];
  ::globfree(&found);
  return name;
}

}  // namespace

std::unique_ptr<PhpFpm> PhpFpm::start() {
  const std::string name = program();
  if (name.empty()) {
    WARN("no php-fpm: skipped");
    return nullptr;
  }
  return std::unique_ptr<PhpFpm>(new PhpFpm(name));
}

PhpFpm::PhpFpm(const std::string& program) : folder_(make_folder()) {
  write_file(folder_ + "/fpm.conf", "[global]\nerror_log=" + folder_ + "/fpm.log\ndaemonize=no\n[www]\nlisten=" + folder_ +
                                        "/fpm.sock\npm=static\npm.max_children=2\ncatch_workers_output=yes\n");
  const std::string conf = folder_ + "/fpm.conf", log = folder_ + "/out.log";
  pid_ = ::fork();
  if (pid_ == 0) {
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ::dup2(out, 1);
    ::dup2(out, 2);
    const char* const as_root = ::geteuid() == 0 ? "-R" : "-F";
    ::execl(program.c_str(), program.c_str(), "-F", as_root, "-n", "-y", conf.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }
  const auto listens = [&] {
    struct stat status;
    return ::stat((folder_ + "/fpm.sock").c_str(), &status) == 0;
  };
  REQUIRE(wait_for_change(folder_, listens, Clock::now() + kPatience));
}

PhpFpm::~PhpFpm() {
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
}

}  // namespace test
