// See agreement.h.
#define CATCH_CONFIG_EXTERNAL_INTERFACES  // listeners, of Catch2 2
#include "e2e/agreement.h"

#include <netinet/in.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "catch.h"

namespace test {
namespace {

class Known {
 public:
  std::vector<std::string> arguments;
  std::string folder;
};

std::mutex mutex;
std::map<int, Known> servers;  // by port
std::map<int, std::string> sent_over;  // since the last response; by descriptor
std::atomic<bool> silent{false};

// Tests, by file or name, about what explain cannot know from a request, a configuration and files.
class Exception {
 public:
  const char* of;
  const char* why;
};
constexpr Exception exceptions[] = {
    {"limit_req_test.cc", "what other requests have used up"},
    {"limit_conn_test.cc", "what other requests have used up"},
    {"deadlines_test.cc", "how slow somebody is"},
    {"reload_test.cc", "a configuration that is not the file's any more, or not yet"},
    {"refused_reloads_test.cc", "a configuration that is not the file's"},
    {"a reload takes a new configuration, and refuses a bad one", "a configuration that is not the file's any more"},
    {"reload_load_test.cc", "a configuration that is not the file's any more"},
    {"handover_test.cc", "a configuration that is not the file's any more"},
    {"a bad pair is refused, the present one stays, and the next good one holds", "certificates that are not the files' any more"},
    {"file_cache_test.cc", "what is remembered of files"},
    {"small_content_test.cc", "what is remembered of files"},
    {"metrics_test.cc", "what other requests have counted"},
    {"/status_test.cc", "what other requests have counted"},
    {"json_log_test.cc", "which lines of the log are explain's own"},
    {"lines of JSON name the trace where there is one", "which lines of the log are explain's own"},
    {"profile_test.cc", "what the server is at"},
    {"profile_lua_test.cc", "what the server is at"},
    {"/failures_test.cc", "what other requests have counted"},
    {"connection_states_test.cc", "what connections there are"},
    {"proxy_faults_test.cc", "what an upstream does this time"},
    {"proxy_wait_test.cc", "how long a server is away"},
    {"a VM that has used up its memory fails requests, not the worker", "what other requests have left in the VM"},
    {"live_explain_test.cc", "the client's own address and port, which the answer names"},
    {"realip_test.cc", "the client's own port"},
    {"socket_options_test.cc", "how the client's socket is set"},
    {"TCP's own figures", "how the client's connection has done"},
    {"several ranges are multipart/byteranges", "the boundary, which is another each time"},
    {"random_index answers with each file of a folder, and with nothing else", "chance"},
    {"disable_symlinks: a file that is exchanged for a link all the time never shows what the link leads to", "what a path is at the moment"},
};

bool is_excepted(std::string_view file, std::string_view name) {
  return std::any_of(std::begin(exceptions), std::end(exceptions),
                     [&](const Exception& e) { return file.ends_with(e.of) || name == e.of; });
}

#if __has_include(<catch2/catch_test_macros.hpp>)
using ListenerBase = Catch::EventListenerBase;
#else
using ListenerBase = Catch::TestEventListenerBase;
#endif
class Listener : public ListenerBase {
 public:
  using ListenerBase::ListenerBase;
  void testCaseStarting(const Catch::TestCaseInfo& test) override { silent = is_excepted(test.lineInfo.file, test.name); }
};
CATCH_REGISTER_LISTENER(Listener)

// The server's own binary, or another that the variable names: one without sanitizers answers sooner.
std::string who_explains() {
  const std::string asked = std::getenv("SEAWALL_EXPLAIN");
  return asked.starts_with('/') ? asked : server_binary();
}

std::optional<Known> server_at(int port) {
  const std::lock_guard lock(mutex);
  const auto found = servers.find(port);
  return found == servers.end() ? std::nullopt : std::optional<Known>(found->second);
}

// The response's head out of what explain has printed; nothing: no head, which says why not.
std::optional<Response> head_in(const std::string& explained) {
  const auto begin = explained.find("\nHTTP/1.1 ");
  if (begin == std::string::npos) return std::nullopt;
  const std::string head = explained.substr(begin + 1, explained.find("\nin force:\n", begin) - begin - 1);
  return Response(head + "\r\n\r\n");
}

std::vector<std::string> lines_of(std::string_view head) {
  std::vector<std::string> lines;
  for (std::size_t end; (end = head.find("\r\n")) != head.npos && end > 0; head.remove_prefix(end + 2)) lines.emplace_back(head.substr(0, end));
  return lines;
}

}  // namespace

bool Agreement::is_asked() {
  static const bool asked = std::getenv("SEAWALL_EXPLAIN") != nullptr;
  return asked && !silent;
}

void Agreement::add(const std::vector<int>& ports, std::vector<std::string> arguments, const std::string& folder) {
  const std::lock_guard lock(mutex);
  for (const int port : ports) servers[port] = Known{arguments, folder};
}

void Agreement::remove(const std::vector<int>& ports) {
  const std::lock_guard lock(mutex);
  for (const int port : ports) servers.erase(port);
}

void Agreement::check(int port, bool tls, const std::string& method, const std::string& target, const std::vector<std::string>& headers,
                      const Response& response) {
  const auto known = server_at(port);
  if (!is_asked() || !known) return;
  std::vector<std::string> arguments{"explain"};
  arguments.insert(arguments.end(), known->arguments.begin(), known->arguments.end());
  for (const std::string& line : headers) arguments.insert(arguments.end(), {"-H", line});
  const std::string url = std::string(tls ? "https://localhost:" : "http://127.0.0.1:") + std::to_string(port) + target;
  arguments.insert(arguments.end(), {method, url});
  const Run run = run_beside(who_explains(), arguments, known->folder, known->folder + "/explain");
  INFO("seawall explain " << method << " " << url << " said: " << run.out << run.err << "\nthe server: " << response.head);
  if (run.out.empty() && who_explains() != server_binary()) return;  // it cannot load a module for tests of another build
  if (run.out.find("it is not asked\n") != std::string::npos || run.err.find("no server listens on port") != std::string::npos) return;
  const auto explained = head_in(run.out);
  const int status = explained ? explained->status : 0;
  CHECK(status == response.status);
  if (status != response.status) return;
  for (const char* field : {"Location", "Content-Type", "Content-Length", "Content-Range", "ETag"})
    if (response.count(field) && explained->count(field)) CHECK(explained->header(field) == response.header(field));
}

void Agreement::begin(int fd) {
  const std::lock_guard lock(mutex);
  sent_over.erase(fd);
}

void Agreement::sent(int fd, std::string_view bytes) {
  const std::lock_guard lock(mutex);
  sent_over[fd] += bytes;
}

void Agreement::answered(int fd, const Response& response) {
  std::string sent;
  {
    const std::lock_guard lock(mutex);
    sent = std::exchange(sent_over[fd], {});
  }
  sockaddr_in peer{};
  socklen_t size = sizeof peer;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0 || peer.sin_family != AF_INET) return;
  if (!sent.ends_with("\r\n\r\n") || sent.find("\r\n\r\n") != sent.size() - 4) return;
  std::vector<std::string> lines = lines_of(sent);
  const std::string request = lines.front();
  const auto space = request.find(' '), end = request.rfind(' ');
  if (space == end || request.substr(end) != " HTTP/1.1" || request[space + 1] != '/') return;
  lines.erase(lines.begin());
  check(ntohs(peer.sin_port), false, request.substr(0, space), request.substr(space + 1, end - space - 1), lines, response);
}

}  // namespace test
