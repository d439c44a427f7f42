// See server.h.
#include "e2e/paths.h"
#include "e2e/server.h"

#include <fcntl.h>
#include <poll.h>
#include <regex.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <stdexcept>

#include "catch.h"
#include "e2e/agreement.h"

namespace test {
namespace {

using seawall::Fd;

bool has(const std::string& text, const std::string& regex) {
  regex_t compiled;
  if (::regcomp(&compiled, regex.c_str(), REG_EXTENDED | REG_NEWLINE | REG_NOSUB) != 0) {
    throw std::runtime_error("not a regular expression: " + regex);
  }
  const bool found = ::regexec(&compiled, text.c_str(), 0, nullptr, 0) == 0;
  ::regfree(&compiled);
  return found;
}

void replace_all(std::string& text, const std::string& mark, const std::string& value) {
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + value.size())) {
    text.replace(at, mark.size(), value);
  }
}

std::string with_ports(std::string_view config, const std::string& folder, std::vector<int>& ports) {
  std::string text(config);
  replace_all(text, "%%DIR%%", folder);
  for (std::size_t n = 0; n < 10; ++n) {
    const auto mark = "%%PORT_" + std::to_string(n) + "%%";
    if (text.find(mark) == std::string::npos) continue;
    while (ports.size() <= n) ports.push_back(free_port());
    replace_all(text, mark, std::to_string(ports[n]));
  }
  return has(text, "^[ \t]*events[ \t{]") ? text : "events {}\nhttp {\n" + text + "\n}\n";
}

// In the main context, which tests write before http {}.
bool sets(const std::string& config, const std::string& directive) {
  return has(config.substr(0, config.find("http {")), "(^|[;}])[ \t]*" + directive + "[ \t]");
}

// The directives every test needs, unless the configuration has its own.
std::string globals(const std::string& config, const std::string& folder) {
  std::string text;
  if (!sets(config, "daemon")) text += "daemon off; ";
  if (!sets(config, "pid")) text += "pid " + folder + "/nginx.pid; ";
  if (!sets(config, "error_log")) text += "error_log " + folder + "/error.log info; ";
  if (::geteuid() == 0 && !sets(config, "user")) text += "user root; ";  // the folder is 0700
  return text;
}

// fork and exec; the child dies with the test, its output goes to the files stdout and stderr of the folder `output`.
pid_t spawn(const std::string& program, const std::vector<std::string>& arguments, const std::string& folder, const std::string& output) {
  const std::string out = output + "/stdout", err = output + "/stderr";
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  const int flags = O_WRONLY | O_CREAT | O_APPEND;
  const bool ready = ::chdir(folder.c_str()) == 0 && ::dup2(::open("/dev/null", O_RDONLY), 0) == 0 &&
                     ::dup2(::open(out.c_str(), flags, 0644), 1) == 1 &&
                     ::dup2(::open(err.c_str(), flags, 0644), 2) == 2;
  if (ready) ::execv(program.c_str(), argv.data());
  ::_exit(127);
}

// glibc has a wrapper only since 2.36, and there its header is not one for C++.
int pidfd_of(pid_t pid) {
  return int(::syscall(SYS_pidfd_open, pid, 0));
}

// The exit code, or 128 + signal; a process that does not end in time is killed and gives 128 + SIGKILL.
int wait_end(pid_t pid, const Fd& process) {
  pollfd wait{process.get(), POLLIN, 0};
  if (::poll(&wait, 1, left_until(Clock::now() + kPatience)) == 0) ::kill(pid, SIGKILL);
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

std::string server_binary() {
  const char* chosen = std::getenv("SEAWALL_BINARY");
  return chosen != nullptr ? chosen : binary_path();
}

Server::Server(std::string_view config, const Files& files) : folder_(make_folder()) {
  for (const auto& [path, content] : files) file(path, content);
  file("nginx.conf", expand(config));
  start();
}

Server::~Server() {
  Agreement::remove(ports_);
  if (pid_ < 0) return;
  try {
    end(SIGTERM);
  } catch (...) {
    // Catch throws from a CHECK only when told to stop at the first failure, which it has recorded already.
  }
}

std::string Server::expand(std::string_view config) {
  return with_ports(config, folder_, ports_);
}

std::string Server::url(std::string_view path, int n) const {
  return "http://127.0.0.1:" + std::to_string(port(n)) + std::string(path);
}

std::string Server::tls_url(std::string_view path, int n) const {
  return "https://localhost:" + std::to_string(port(n)) + std::string(path);
}

// The pid file is written once the sockets listen.
void Server::start() {
  const auto given = globals(read("nginx.conf"), folder_);
  Agreement::add(ports_, {"-p", folder_ + "/", "-c", "nginx.conf", "-g", given}, folder_);
  pid_ = spawn(server_binary(), {"-p", folder_ + "/", "-c", "nginx.conf", "-e", "error.log", "-g", given}, folder_, folder_);
  process_.reset(pidfd_of(pid_));
  const auto pid_line = std::to_string(pid_) + "\n";
  const auto up = [&] { return read("nginx.pid") == pid_line; };
  if (wait_for_change(folder_, up, Clock::now() + kPatience, process_.get())) return;
  const int code = wait_end(std::exchange(pid_, -1), process_);
  FAIL("the server did not start (" << server_binary() << ", " << code << "): " << read("stderr") << error_log());
}

bool Server::wait_for_log(const std::string& regex, const std::string& file) const {
  const auto found = [&] { return has(read(file), regex); };
  return wait_for_change(folder_, found, Clock::now() + kPatience, process_.get());
}

void Server::signal(int number) const {
  REQUIRE(::kill(pid_, number) == 0);
}

bool Server::reload(std::string_view config) {
  if (!config.empty()) file("nginx.conf", expand(config));
  REQUIRE(wait_for_log("start worker process"));  // of the start: it may come after the pid file
  const auto before = error_log().size();
  signal(SIGHUP);
  const auto news = [&] { return error_log().substr(before); };
  const auto refused = [&] { return news().find("[emerg]") != std::string::npos; };
  const auto taken = [&] { return news().find("gracefully shutting down") != std::string::npos; };  // of the old worker
  const auto told = [&] { return refused() || taken(); };
  if (!wait_for_change(folder_, told, Clock::now() + kPatience, process_.get()))
    FAIL("no answer to HUP in error.log: " << news());
  if (refused()) allow("\\[emerg\\]");
  return !refused();
}

void Server::kill() {
  ::kill(pid_, SIGKILL);
  CHECK(wait_end(std::exchange(pid_, -1), process_) == 128 + SIGKILL);
}

void Server::stop() {
  end(SIGQUIT);
}

void Server::end(int signal_number) {
  ::kill(pid_, signal_number);
  const int code = wait_end(std::exchange(pid_, -1), process_);
  INFO("stderr: " << read("stderr"));
  CHECK(code == 0);
  check_logs();
}

void Server::check_logs() const {
  std::istringstream lines(read("stderr") + error_log());
  const auto expected = [&](const std::string& line) {
    for (const auto& regex : allowed_) {
      if (has(line, regex)) return true;
    }
    return false;
  };
  for (std::string line; std::getline(lines, line);) {
    if (has(line, "\\[(alert|emerg)\\]|Sanitizer|[0-9]: runtime error:") && !expected(line))
      FAIL_CHECK("in the server's log: " << line);
  }
}

Run run_server(const std::vector<std::string>& arguments, const std::string& folder) {
  return run_beside(server_binary(), arguments, folder, folder);
}

Run run_beside(const std::string& program, const std::vector<std::string>& arguments, const std::string& folder, const std::string& output) {
  std::filesystem::create_directories(output);
  std::filesystem::remove(output + "/stdout");
  std::filesystem::remove(output + "/stderr");
  const pid_t pid = spawn(program, arguments, folder, output);
  Fd process(pidfd_of(pid));
  Run run;
  run.exit_code = wait_end(pid, process);
  run.out = read_file(output + "/stdout");
  run.err = read_file(output + "/stderr");
  return run;
}

Run check_config(std::string_view config, const Files& files) {
  const auto folder = make_folder();
  std::vector<int> ports;
  for (const auto& [path, content] : files) write_file(folder + "/" + path, content);
  const auto text = with_ports(config, folder, ports);
  write_file(folder + "/nginx.conf", text);
  return run_server({"-t", "-p", folder + "/", "-c", "nginx.conf", "-e", "stderr", "-g", globals(text, folder)},
                    folder);
}

}  // namespace test
