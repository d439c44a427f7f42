#include "dns.h"

#include <arpa/nameser.h>
#include <netinet/in.h>
#include <resolv.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "seawall/base/fd.h"
#include "seawall/base/text.h"

namespace seawall::acme {
namespace {

constexpr int kCaa = 257;
constexpr int kPatience = 2;  // seconds, for each server
constexpr unsigned kCritical = 128;

std::string_view data_of(const ns_rr& record) {
  return {reinterpret_cast<const char*>(ns_rr_rdata(record)), ns_rr_rdlen(record)};
}

// flags, length of the tag, tag, value (RFC 8659 4.1); parameters behind the domain are the CA's business.
void add_property(std::string_view data, Caa& caa) {
  if (data.size() < 2 || data.size() - 2 < static_cast<unsigned char>(data[1])) return;
  const auto flags = static_cast<unsigned char>(data[0]);
  const std::size_t size = static_cast<unsigned char>(data[1]);
  const std::string tag = lower(data.substr(2, size));
  const std::string_view value = data.substr(2 + size);
  const std::string domain = lower(trim(value.substr(0, value.find(';'))));
  if (tag == "issue") {
    caa.has_issue = true;
    caa.issue.push_back(domain);
  } else if (tag == "issuewild") {
    caa.has_issue_wild = true;
    caa.issue_wild.push_back(domain);
  } else if ((flags & kCritical) && tag != "iodef") {
    caa.critical = tag;
  }
}

// resolv.conf's; IPv6 has a place of its own there.
std::vector<Address> system_servers() {
  struct __res_state state{};
  std::vector<Address> servers;
  if (::res_ninit(&state) != 0) return servers;
  for (int i = 0; i < state.nscount; ++i) {
    if (state.nsaddr_list[i].sin_family == AF_INET)
      servers.push_back(Address::from(reinterpret_cast<const sockaddr*>(&state.nsaddr_list[i]), sizeof(sockaddr_in)));
    else if (state._u._ext.nsaddrs[i])
      servers.push_back(Address::from(reinterpret_cast<const sockaddr*>(state._u._ext.nsaddrs[i]), sizeof(sockaddr_in6)));
  }
  ::res_nclose(&state);
  return servers;
}

std::string read_all(const Fd& fd, std::size_t size) {
  std::string bytes(size, '\0');
  return ::recv(fd.get(), bytes.data(), size, MSG_WAITALL) == static_cast<ssize_t>(size) ? bytes : std::string();
}

// Over UDP, or over TCP with its lengths (RFC 1035 4.2.2). Empty: no answer.
std::string exchange(const Address& server, std::string query, int kind) {
  const Fd fd(::socket(server.family(), kind | SOCK_CLOEXEC, 0));
  const timeval patience{kPatience, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (::connect(fd.get(), server.data(), server.size()) != 0) return {};
  if (kind == SOCK_STREAM) query = std::string{static_cast<char>(query.size() >> 8), static_cast<char>(query.size())} + query;
  if (::send(fd.get(), query.data(), query.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(query.size())) return {};
  if (kind == SOCK_STREAM) {
    const std::string size = read_all(fd, 2);
    return size.empty() ? size : read_all(fd, static_cast<unsigned char>(size[0]) << 8 | static_cast<unsigned char>(size[1]));
  }
  std::string answer(4096, '\0');
  const ssize_t n = ::recv(fd.get(), answer.data(), answer.size(), 0);
  answer.resize(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  return answer;
}

bool answers(const std::string& answer, const std::string& query) {
  return answer.size() >= sizeof(HEADER) && answer.compare(0, 2, query, 0, 2) == 0 && (answer[2] & 0x80);
}
bool is_cut(const std::string& answer) { return answer[2] & 0x02; }

}  // namespace

Dns::Dns(const std::optional<Address>& server)
    : servers_(server ? std::vector<Address>{*server} : system_servers()) {}

// The first server that knows.
Dns::Reply Dns::ask(const std::string& name, int type) const {
  std::string query(512, '\0');
  const int size = ::res_mkquery(ns_o_query, name.c_str(), ns_c_in, type, nullptr, 0, nullptr,
                                 reinterpret_cast<unsigned char*>(query.data()), static_cast<int>(query.size()));
  if (size <= 0) return Reply();
  query.resize(static_cast<std::size_t>(size));
  for (const Address& server : servers_) {
    std::string answer = exchange(server, query, SOCK_DGRAM);
    if (answers(answer, query) && is_cut(answer)) answer = exchange(server, query, SOCK_STREAM);
    if (!answers(answer, query)) continue;
    Reply reply = read(std::move(answer), type);
    if (reply.outcome != Outcome::no_answer) return reply;
  }
  return Reply();
}

Dns::Reply Dns::read(std::string answer, int type) {
  Reply reply;
  ns_msg message;
  if (::ns_initparse(reinterpret_cast<unsigned char*>(answer.data()), static_cast<int>(answer.size()), &message) != 0) return reply;
  const int code = ns_msg_getflag(message, ns_f_rcode);
  if (code == ns_r_nxdomain) reply.outcome = Outcome::no_such_name;
  if (code != ns_r_noerror) return reply;
  for (int i = 0; i < ns_msg_count(message, ns_s_an); ++i) {
    ns_rr record;
    if (::ns_parserr(&message, ns_s_an, i, &record) == 0 && ns_rr_type(record) == type)
      reply.records.emplace_back(data_of(record));
  }
  reply.outcome = reply.records.empty() ? Outcome::none : Outcome::records;
  return reply;
}

Addresses Dns::addresses(const std::string& name) const {
  Addresses found;
  for (const int type : {ns_t_a, ns_t_aaaa}) {
    const Reply reply = ask(name, type);
    found.known = reply.outcome != Outcome::no_answer;
    found.error = !found.known ? "nobody has answered" : reply.outcome == Outcome::no_such_name ? "there is no such name" : "no A or AAAA record";
    if (!found.known || reply.outcome == Outcome::no_such_name) break;
    for (const std::string& bytes : reply.records)
      if (const auto address = Address::from_bytes(bytes, 0)) found.all.push_back(*address);
  }
  return found;
}

Caa Dns::caa(const std::string& name) const {
  Caa caa;
  const Reply reply = ask(name, kCaa);
  caa.is_there = reply.outcome == Outcome::records;
  for (const std::string& data : reply.records) add_property(data, caa);
  return caa;
}

}  // namespace seawall::acme
