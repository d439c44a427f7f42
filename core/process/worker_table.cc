#include "seawall/process/worker_table.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <iostream>
#include <sstream>

#include "seawall/base/crash_output.h"
#include "seawall/log/log.h"
#include "seawall/process/worker.h"

namespace seawall {
namespace {

using std::chrono::steady_clock;

constexpr int kFatal = 2;  // nginx's exit code for "do not start me again"

void report(pid_t pid, int status) {
  const std::string who = "worker process " + std::to_string(pid);
  if (WIFSIGNALED(status))
    log(Level::alert, who + " exited on signal " + std::to_string(WTERMSIG(status)) + (WCOREDUMP(status) ? " (core dumped)" : ""));
  else
    log(Level::notice, who + " exited with code " + std::to_string(WEXITSTATUS(status)));
}

// What it could not log itself any more; as much as the pipe has held.
void log_last_words(pid_t pid, const Fd& from) {
  std::string text;
  char piece[4096];
  for (ssize_t n; (n = ::read(from.get(), piece, sizeof piece)) > 0;) text.append(piece, static_cast<std::size_t>(n));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("[alert] ")) line.erase(0, 8);
    log(Level::alert, "worker process " + std::to_string(pid) + ": " + line);
  }
}

}  // namespace

Fd WorkerTable::start(const Configuration& conf, const Listening& listening, bool probe, const std::function<void()>& leave) {
  int ends[2] = {-1, -1}, words[2] = {-1, -1}, channel[2] = {-1, -1};
  const bool piped = ::pipe2(ends, O_CLOEXEC) == 0 && ::pipe2(words, O_CLOEXEC | O_NONBLOCK) == 0 &&
                     ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, channel) == 0;
  Fd ready(ends[0]), tell(ends[1]), last_words(words[0]), last_words_of_worker(words[1]), renewals(channel[0]),
      renewals_of_worker(channel[1]);
  conf.adopt();
  const pid_t self = ::getpid();
  const pid_t pid = piped ? ::fork() : -1;
  if (pid < 0) {
    log(Level::alert, std::string(piped ? "fork()" : "pipe2() or socketpair()") + " failed (" + std::strerror(errno) + ")");
    return Fd();
  }
  if (pid == 0) {
    leave();
    renewals.reset();
    last_words.reset();
    running_.clear();
    set_crash_output(last_words_of_worker.get());
    const int code = run_worker(conf, listening, self, probe, renewals_of_worker, [&](const std::string& wrong) {
      const std::string word = "=" + wrong.substr(0, PIPE_BUF - 1);
      ready.reset();
      if (!tell) return;
      [[maybe_unused]] const ssize_t n = ::write(tell.get(), word.data(), word.size());  // only a reload and the first start ask
      tell.reset();
    });
    // No destructors: what the child inherited belongs to the supervisor.
    std::cout.flush();
    ::_exit(code);
  }
  log(Level::notice, "start worker process " + std::to_string(pid));
  current_ = pid;
  Running& running = running_[pid];
  running.started = steady_clock::now();
  running.channel = std::move(renewals);
  running.last_words = std::move(last_words);
  return ready;
}

std::optional<WorkerTable::End> WorkerTable::reap(const std::function<void(pid_t, int)>& stranger) {
  for (;;) {
    int status;
    const pid_t pid = ::waitpid(-1, &status, WNOHANG);
    if (pid <= 0) return std::nullopt;
    const auto worker = running_.find(pid);
    if (worker == running_.end()) {
      stranger(pid, status);
      continue;
    }
    End end;
    end.pid = pid;
    end.current = pid == current_;
    end.fatal = WIFEXITED(status) && WEXITSTATUS(status) == kFatal;
    end.lived = steady_clock::now() - worker->second.started;
    if (WIFSIGNALED(status)) log_last_words(pid, worker->second.last_words);
    running_.erase(worker);
    report(pid, status);
    return end;
  }
}

void WorkerTable::tell(pid_t worker, int signal) const {
  if (running_.contains(worker)) ::kill(worker, signal);
}

void WorkerTable::tell_all(int signal) const {
  for (const auto& [pid, running] : running_) ::kill(pid, signal);
}

int WorkerTable::channel(pid_t worker) const {
  const auto found = running_.find(worker);
  return found == running_.end() ? -1 : found->second.channel.get();
}

pid_t WorkerTable::oldest_of_more_than(std::size_t generations) const {
  if (running_.size() <= generations) return 0;
  const auto older = [](const auto& a, const auto& b) { return a.second.started < b.second.started; };
  return std::min_element(running_.begin(), running_.end(), older)->first;
}

}  // namespace seawall
