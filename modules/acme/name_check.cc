#include "name_check.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "probe_token.h"
#include "seawall/base/fd.h"

namespace seawall::acme {
namespace {

constexpr int kPatience = 5000;  // ms

std::vector<Address> own_addresses() {
  std::vector<Address> own;
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return own;
  for (const ifaddrs* one = all; one; one = one->ifa_next) {
    if (!one->ifa_addr) continue;
    if (one->ifa_addr->sa_family == AF_INET) own.push_back(Address::from(one->ifa_addr, sizeof(sockaddr_in)));
    if (one->ifa_addr->sa_family == AF_INET6) own.push_back(Address::from(one->ifa_addr, sizeof(sockaddr_in6)));
  }
  ::freeifaddrs(all);
  return own;
}

bool is_ours(const Address& address) {
  const std::vector<Address> own = own_addresses();
  return std::any_of(own.begin(), own.end(), [&](const Address& mine) { return mine.same_host(address); });
}

// 0, or why not.
int try_connect(const Address& to) {
  const Fd fd(::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return errno;
  if (::connect(fd.get(), to.data(), to.size()) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  pollfd wait{fd.get(), POLLOUT, 0};
  if (::poll(&wait, 1, kPatience) <= 0) return ETIMEDOUT;
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

}  // namespace

void NameCheck::check_addresses(int port, const std::string& what) {
  addresses_ = dns_.addresses(host_);
  if (!addresses_.known)
    return find("the DNS does not answer (" + addresses_.error + "): look at /etc/resolv.conf, or name a \"resolver\" in acme_issuer");
  if (addresses_.all.empty())
    return find("has no address in the DNS (" + addresses_.error + "): add an A or AAAA record that points to this machine");
  for (const Address& address : addresses_.all) check_address(address.with_port(static_cast<std::uint16_t>(port)), port, what);
}

void NameCheck::check_address(const Address& address, int port, const std::string& what) {
  const bool ours = is_ours(address);
  const std::string record = address.family() == AF_INET6 ? "AAAA" : "A";
  if (const int error = try_connect(address)) {
    const std::string why = error == ETIMEDOUT ? "nobody answers" : std::strerror(error);
    find("port " + std::to_string(port) + " of " + address.text() + " is closed (" + why + "), where the CA looks for " + what +
         (ours ? ": start the server, let it listen there, and the firewall let it through"
               : ": correct the " + record + " record, or open the port there"));
  } else if (!ours) {
    find("the DNS says " + address.text() + ", which is no address of this machine: unless a router hands its port " +
         std::to_string(port) + " on to here, correct the " + record + " record");
  }
}

// To the address that the DNS has given: what this machine alone believes of the name is nobody else's.
void NameCheck::check_plain_answer(int port) {
  HttpSettings settings;
  settings.may_be_plain = true;
  if (!addresses_.all.empty()) {
    const Address& first = addresses_.all.front();
    settings.connect_to = first.family() == AF_INET6 ? "[" + first.text() + "]" : first.text();
  }
  Stop never;
  try {
    const HttpAnswer answer = Http(settings, never).get("http://" + host_ + ":" + std::to_string(port) + kProbePath);
    if (answer.status == 200 && answer.body == kProbeAnswer) return;
    find("another server answers on port " + std::to_string(port) + " (status " + std::to_string(answer.status) +
         "), or a proxy in front of this one keeps /.well-known/acme-challenge/ for itself: hand that path on to here");
  } catch (const AcmeError& error) {
    find(std::string("no answer over plain HTTP (") + error.what() + "): is the server running?");
  }
}

// The closest name that has records decides (RFC 8659 3).
void NameCheck::check_caa(const std::vector<std::string>& authorities) {
  if (authorities.empty()) return;
  for (std::string name = host_; name.find('.') != std::string::npos; name = name.substr(name.find('.') + 1)) {
    const Caa caa = dns_.caa(name);
    if (caa.is_there) return check_allowed(name, caa, authorities);
  }
}

void NameCheck::check_allowed(const std::string& name, const Caa& caa, const std::vector<std::string>& authorities) {
  if (!caa.critical.empty())
    return find("a CAA record of " + name + " has the critical property \"" + caa.critical + "\", so that no CA may issue: remove it");
  const bool wild = is_wildcard_ && caa.has_issue_wild;
  if (!wild && !caa.has_issue) return;
  const std::vector<std::string>& allowed = wild ? caa.issue_wild : caa.issue;
  const bool ours = std::any_of(allowed.begin(), allowed.end(), [&](const std::string& one) {
    return std::find(authorities.begin(), authorities.end(), one) != authorities.end();
  });
  if (ours) return;
  const std::string whom = allowed.front().empty() ? "no CA" : "only \"" + allowed.front() + "\"";
  find("the CAA record of " + name + " allows " + whom + ": add one with " + (wild ? "issuewild" : "issue") + " \"" +
       authorities.front() + "\", or take another CA");
}

}  // namespace seawall::acme
