// See dns_server.h.
#include "e2e/dns_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <stdexcept>

namespace test {
namespace {

constexpr std::size_t kHead = 12;
constexpr int kA = 1, kCname = 5, kAaaa = 28, kSrv = 33, kNoSuchName = 3;

void add16(std::string& out, int number) { out.append({static_cast<char>(number >> 8), static_cast<char>(number)}); }

std::string binary(const std::string& address, int type) {
  char bytes[16];
  const int family = type == kA ? AF_INET : AF_INET6;
  if (::inet_pton(family, address.c_str(), bytes) != 1) return {};
  return std::string(bytes, type == kA ? 4 : 16);
}

std::string encoded(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const std::string_view label = name.substr(0, name.find('.'));
    out.append(1, static_cast<char>(label.size())).append(label);
    name.remove_prefix(std::min(label.size() + 1, name.size()));
  }
  return out.append(1, '\0');
}

std::string encoded(const DnsService& service) {
  std::string out;
  for (const int n : {service.priority, service.weight, service.port}) add16(out, n);
  return out + encoded(service.host);
}

// The name that begins at `at`, which ends up behind it.
std::string read_name(std::string_view message, std::size_t& at) {
  std::string name;
  while (at < message.size() && message[at] != 0) {
    const auto length = static_cast<unsigned char>(message[at]);
    if (!name.empty()) name += '.';
    for (const char c : message.substr(at + 1, length)) name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    at += 1 + length;
  }
  ++at;
  return name;
}

}  // namespace

DnsServer::DnsServer() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)), stop_(::eventfd(0, EFD_CLOEXEC)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(socket_.get(), generic, size) < 0 || ::getsockname(socket_.get(), generic, &size) < 0)
    throw std::runtime_error("cannot bind a DNS server");
  address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  thread_ = std::thread([this] { serve(); });
}

DnsServer::~DnsServer() {
  ::eventfd_write(stop_.get(), 1);
  thread_.join();
}

void DnsServer::set(const std::string& name, std::vector<std::string> addresses, int ttl) {
  const std::lock_guard lock(mutex_);
  records_[name] = {std::move(addresses), ttl, 0, false};
}
void DnsServer::set_alias(const std::string& name, const std::string& of, int ttl) {
  const std::lock_guard lock(mutex_);
  records_[name] = {{}, ttl, 0, false, of, {}};
}
void DnsServer::set_service(const std::string& name, std::vector<DnsService> services, int ttl) {
  const std::lock_guard lock(mutex_);
  records_[name] = {{}, ttl, 0, false, {}, std::move(services)};
}
void DnsServer::fail(const std::string& name, int code) {
  const std::lock_guard lock(mutex_);
  records_[name] = {{}, 0, code, false};
}
void DnsServer::ignore(const std::string& name) {
  const std::lock_guard lock(mutex_);
  records_[name] = {{}, 0, 0, true};
}

void DnsServer::serve() {
  pollfd waits[] = {{socket_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
  while (::poll(waits, 2, -1) > 0 && !waits[1].revents) {
    char bytes[1500];
    sockaddr_storage from;
    socklen_t size = sizeof from;
    auto* const address = reinterpret_cast<sockaddr*>(&from);
    const ssize_t n = ::recvfrom(socket_.get(), bytes, sizeof bytes, 0, address, &size);
    if (n <= static_cast<ssize_t>(kHead)) continue;
    ++questions_;
    const std::string said = answer({bytes, static_cast<std::size_t>(n)});
    if (!said.empty()) ::sendto(socket_.get(), said.data(), said.size(), 0, address, size);
  }
}

std::string DnsServer::answer(std::string_view question) {
  std::size_t end = kHead;
  const std::string name = read_name(question, end);
  const int type = static_cast<unsigned char>(question[end]) << 8 | static_cast<unsigned char>(question[end + 1]);
  end += 4;
  const std::lock_guard lock(mutex_);
  const auto known = records_.find(name);
  const Record record = known == records_.end() ? Record{{}, 0, kNoSuchName, false} : known->second;
  if (record.silent) return {};
  std::string records;
  int count = 0;
  const auto add = [&](int of, const std::string& bytes) {
    add16(records, 0xc000 | static_cast<int>(kHead));  // the name of the question
    for (const int n : {of, 1, record.ttl >> 16, record.ttl & 0xffff, static_cast<int>(bytes.size())}) add16(records, n);
    records += bytes;
    ++count;
  };
  for (const std::string& address : record.addresses) {
    const std::string bytes = binary(address, type);
    if ((type == kA || type == kAaaa) && !bytes.empty()) add(type, bytes);
  }
  if (!record.alias.empty()) add(kCname, encoded(record.alias));
  for (const DnsService& service : record.services)
    if (type == kSrv) add(kSrv, encoded(service));
  std::string out(question.substr(0, 2));
  add16(out, 0x8180 | record.code);
  for (const int n : {1, count, 0, 0}) add16(out, n);
  return out.append(question.substr(kHead, end - kHead)).append(records);
}

}  // namespace test
