// See agreement.h.
#include "e2e/agreement.h"

#include <netinet/in.h>

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
std::atomic<int> silenced{0};

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
  return asked && silenced == 0;
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
  const Run run = run_beside(arguments, known->folder, known->folder + "/explain");
  INFO("seawall explain " << method << " " << url << " said: " << run.out << run.err << "\nthe server: " << response.head);
  if (run.out.find("it is not asked\n") != std::string::npos) return;
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

Unexplained::Unexplained() { ++silenced; }
Unexplained::~Unexplained() { --silenced; }

}  // namespace test
