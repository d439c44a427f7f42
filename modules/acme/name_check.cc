#include "name_check.h"

#include <arpa/nameser.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <resolv.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "probe_token.h"
#include "seawall/base/fd.h"
#include "seawall/base/text.h"
#include "seawall/net/address.h"

namespace seawall::acme {
namespace {

constexpr int kPatience = 5000;  // ms
constexpr int kCaa = 257;

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

class Lookup {
 public:
  explicit Lookup(const std::string& name) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    error_ = ::getaddrinfo(name.c_str(), nullptr, &hints, &all_);
  }
  ~Lookup() {
    if (all_) ::freeaddrinfo(all_);
  }
  Lookup(const Lookup&) = delete;
  const char* error() const { return error_ ? ::gai_strerror(error_) : nullptr; }
  const addrinfo* first() const { return all_; }

 private:
  addrinfo* all_ = nullptr;
  int error_;
};

// 0, or why not.
int try_connect(const addrinfo& to, int port) {
  sockaddr_storage address{};
  std::memcpy(&address, to.ai_addr, to.ai_addrlen);
  if (to.ai_family == AF_INET)
    reinterpret_cast<sockaddr_in&>(address).sin_port = htons(static_cast<std::uint16_t>(port));
  else
    reinterpret_cast<sockaddr_in6&>(address).sin6_port = htons(static_cast<std::uint16_t>(port));
  const Fd fd(::socket(to.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return errno;
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), to.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  pollfd wait{fd.get(), POLLOUT, 0};
  if (::poll(&wait, 1, kPatience) <= 0) return ETIMEDOUT;
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

std::string text_of(const addrinfo& one) {
  return Address::from(one.ai_addr, one.ai_addrlen).text();
}

// The issue and issuewild properties of a name's own CAA records; nothing: it has none, or nobody answers.
std::vector<std::string> issuers_in_caa(const std::string& name) {
  std::vector<std::string> issuers;
  unsigned char answer[8192];
  const int size = ::res_query(name.c_str(), ns_c_in, kCaa, answer, sizeof answer);
  ns_msg message;
  if (size <= 0 || ::ns_initparse(answer, size, &message) != 0) return issuers;
  for (int i = 0; i < ns_msg_count(message, ns_s_an); ++i) {
    ns_rr record;
    if (::ns_parserr(&message, ns_s_an, i, &record) != 0 || ns_rr_type(record) != kCaa || ns_rr_rdlen(record) < 2) continue;
    const auto* const data = ns_rr_rdata(record);
    const std::string_view bytes(reinterpret_cast<const char*>(data), ns_rr_rdlen(record));
    const std::size_t tag_size = data[1];
    if (tag_size + 2 > bytes.size()) continue;
    const std::string tag = lower(bytes.substr(2, tag_size));
    if (tag == "issue" || tag == "issuewild")
      issuers.emplace_back(trim(bytes.substr(2 + tag_size).substr(0, bytes.substr(2 + tag_size).find(';'))));
  }
  return issuers;
}

}  // namespace

void NameCheck::check_addresses(int port, const std::string& what) {
  const Lookup lookup(name_);
  if (lookup.error())
    return find(std::string("has no address in the DNS (") + lookup.error() +
                "): add an A or AAAA record that points to this machine");
  const std::vector<Address> own = own_addresses();
  for (const addrinfo* one = lookup.first(); one; one = one->ai_next) {
    const std::string address = text_of(*one);
    const bool ours = std::any_of(own.begin(), own.end(), [&](const Address& mine) { return mine.text() == address; });
    if (const int error = try_connect(*one, port)) {
      const std::string why = error == ETIMEDOUT ? "nobody answers" : std::strerror(error);
      find("port " + std::to_string(port) + " of " + address + " is closed (" + why + "), where the CA looks for " + what +
           (ours ? ": let a server listen there, and the firewall let it through"
                 : ": correct the " + std::string(one->ai_family == AF_INET6 ? "AAAA" : "A") +
                       " record, or open the port there"));
    } else if (!ours) {
      find("the DNS says " + address + ", which is no address of this machine: unless a router hands its port " +
           std::to_string(port) + " on to here, correct the record");
    }
  }
}

void NameCheck::check_plain_answer(int port) {
  const HttpSettings settings;
  Stop never;
  try {
    const HttpAnswer answer = Http(settings, never).get("http://" + name_ + ":" + std::to_string(port) + kProbePath);
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
  for (std::string name = name_; name.find('.') != std::string::npos; name = name.substr(name.find('.') + 1)) {
    const std::vector<std::string> issuers = issuers_in_caa(name);
    if (issuers.empty()) continue;
    const bool allowed = std::any_of(issuers.begin(), issuers.end(), [&](const std::string& one) {
      return std::find(authorities.begin(), authorities.end(), one) != authorities.end();
    });
    if (!allowed)
      find("the CAA record of " + name + " allows only \"" + issuers.front() + "\": add one with issue \"" +
           authorities.front() + "\", or take another CA");
    return;
  }
}

}  // namespace seawall::acme
