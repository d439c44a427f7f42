#include "e2e/nginx.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catch.h"
#include "e2e/folder.h"

namespace test {
namespace {

constexpr const char* kProgram = "/usr/sbin/nginx";

std::string text_of(std::string_view config, int port) {
  std::string text = "daemon off; worker_processes 1; pid nginx.pid; error_log error.log notice;\n";
  if (::geteuid() == 0) text += "user root;\n";  // the folder is 0700
  text += "events {}\nhttp {\naccess_log off;\n";
  for (const char* what : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) text.append(what).append("_temp_path ").append(what).append(";\n");
  text.append(config).append("\n}\n");
  const std::string mark = "%%PORT%%";
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark)) text.replace(at, mark.size(), std::to_string(port));
  return text;
}

}  // namespace

std::unique_ptr<Nginx> Nginx::start(std::string_view config) {
  if (::access(kProgram, X_OK) != 0) {
    WARN("no nginx: not compared with it");
    return nullptr;
  }
  return std::unique_ptr<Nginx>(new Nginx(config));
}

Nginx::Nginx(std::string_view config) : folder_(make_folder()), port_(free_port()) {
  write_file(folder_ + "/nginx.conf", text_of(config, port_));
  const std::string prefix = folder_ + "/", out = folder_ + "/out";
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    const int to = ::open(out.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ::dup2(to, 1);
    ::dup2(to, 2);
    ::execl(kProgram, kProgram, "-p", prefix.c_str(), "-c", "nginx.conf", "-e", "error.log", static_cast<char*>(nullptr));
    ::_exit(127);
  }
  process_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  // Written once its sockets listen.
  const auto listens = [&] { return read_file(folder_ + "/nginx.pid") == std::to_string(pid_) + "\n"; };
  INFO(read_file(out) << read_file(folder_ + "/error.log"));
  REQUIRE(wait_for_change(folder_, listens, Clock::now() + kPatience, process_.get()));
}

Nginx::~Nginx() {
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
}

void Nginx::reload() {
  const auto before = read_file(folder_ + "/error.log").size();
  REQUIRE(::kill(pid_, SIGHUP) == 0);
  const auto taken = [&] { return read_file(folder_ + "/error.log").find("gracefully shutting down", before) != std::string::npos; };
  REQUIRE(wait_for_change(folder_, taken, Clock::now() + kPatience, process_.get()));
}

}  // namespace test
