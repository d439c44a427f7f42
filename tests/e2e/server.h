// A real server process for one test: its configuration is inline, its folder and ports are its own.
//
//   Server s(R"(
//     server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%/html; }
//   )", {{"html/a.txt", "hello"}});
//   REQUIRE(get(s.url("/a.txt")).body == "hello");
//
// %%DIR%% is the folder, %%PORT_0%%.. are free ports of 127.0.0.1. A text without "events" is the inside of http {}.
// pid, error_log (info, DIR/error.log) and "daemon off" are given by the command line where the text has none.
// When the server ends it must exit with 0 and leave no [alert], no [emerg] and no sanitizer report; see allow().
#pragma once
#include <sys/types.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "e2e/folder.h"
#include "seawall/base/fd.h"

namespace test {

using Files = std::vector<std::pair<std::string, std::string>>;  // path relative to the folder, content

// What a run of the binary that ends by itself (-t, -T, -V, a bad configuration) said.
class Run {
 public:
  int exit_code = -1;  // 128 + signal when killed by one
  std::string out, err;
};

class Server {
 public:
  explicit Server(std::string_view config, const Files& files = {});  // returns when it listens; REQUIREs that it does
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();  // TERM, unless stopped

  int port(int n = 0) const { return ports_.at(std::size_t(n)); }
  std::string url(std::string_view path = "/", int n = 0) const;      // http://127.0.0.1:PORT_n/path
  std::string tls_url(std::string_view path = "/", int n = 0) const;  // https://localhost:PORT_n/path
  const std::string& folder() const { return folder_; }
  pid_t pid() const { return pid_; }

  void file(const std::string& path, std::string_view content) const { write_file(folder_ + "/" + path, content); }
  std::string read(const std::string& path) const { return read_file(folder_ + "/" + path); }
  std::string error_log() const { return read("error.log"); }
  // True once the file (error.log) has a line that matches (POSIX extended); bounded by kPatience.
  bool wait_for_log(const std::string& regex, const std::string& file = "error.log") const;

  void signal(int number) const;
  // HUP, after writing a new configuration when one is given; true when a new worker serves, false when it was
  // refused (then [emerg] is expected and allowed).
  bool reload(std::string_view config = {});
  void kill();  // of the supervisor, without a word to its worker
  void stop();  // QUIT: waits for the requests under way, then for the end
  // A line of error.log with [alert] or [emerg] that matches is expected.
  void allow(const std::string& regex) { allowed_.push_back(regex); }

 private:
  std::string expand(std::string_view config);
  void start();
  void end(int signal_number);
  void check_logs() const;

  std::string folder_;
  std::vector<int> ports_;
  std::vector<std::string> allowed_;
  pid_t pid_ = -1;
  seawall::Fd process_;  // pidfd
};

std::string server_binary();
// Runs the binary with these arguments until it ends (bounded by kPatience); cwd is `folder`.
Run run_server(const std::vector<std::string>& arguments, const std::string& folder);
// `-t` on this text: what a test of a refused configuration needs. %%DIR%% and %%PORT_n%% as above.
Run check_config(std::string_view config, const Files& files = {});

}  // namespace test
