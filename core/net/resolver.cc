#include "seawall/net/resolver.h"

#define CARES_NO_DEPRECATED  // Debian 12 has nothing newer
#include <ares.h>
#include <netdb.h>
#include <uv.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>

#include "seawall/base/text.h"
#include "seawall/net/loop.h"

namespace seawall {
namespace {

// Names may come from clients: there is no end of them.
constexpr std::size_t kMostNames = 1024;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kFailureValid = 10;  // seconds, as nginx's
constexpr int kTryTimeout = 5000;           // ms; c-ares doubles it for each further round
constexpr int kRounds = 3;                  // of all servers: more than resolver_timeout lets it have

int code_of(int status) {
  switch (status) {
    case ARES_EFORMERR: return 1;
    case ARES_ESERVFAIL: return 2;
    case ARES_ENODATA: case ARES_ENOTFOUND: case ARES_EBADNAME: return 3;
    case ARES_ENOTIMP: return 4;
    case ARES_EREFUSED: return 5;
    default: return ETIMEDOUT;
  }
}

std::string servers_text(const NameServers& conf) {
  std::string text;
  for (const Address& server : conf.servers) text.append(text.empty() ? "" : ",").append(server.text_with_port());
  return text;
}

[[noreturn]] void fail(const char* call, int status) {
  throw std::runtime_error(std::string(call) + " failed (" + ares_strerror(status) + ")");
}

}  // namespace

std::string Resolved::text() const {
  const auto numbered = [this](const char* what) { return std::to_string(error) + ": " + what; };
  switch (error) {
    case 1: return numbered("Format error");
    case 2: return numbered("Server failure");
    case 3: return numbered("Host not found");
    case 4: return numbered("Unimplemented");
    case 5: return numbered("Operation refused");
    case ETIMEDOUT: return numbered("Operation timed out");
    default: return numbered("Unknown error");
  }
}

// A socket of c-ares in libuv.
class Resolver::Poll {
 public:
  Poll(Resolver& owner, int fd) : owner_(owner), fd_(fd) {
    handle_.data = this;
    if (const int error = uv_poll_init(owner.loop_.uv(), &handle_, fd)) throw std::runtime_error(uv_strerror(error));
  }
  void want(bool readable, bool writable) {
    uv_poll_start(&handle_, (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0), [](uv_poll_t* handle, int status, int events) {
      Poll& self = *static_cast<Poll*>(handle->data);
      Resolver& owner = self.owner_;  // c-ares may close the socket, and this with it
      const int fd = self.fd_;
      const bool failed = status < 0;
      ares_process_fd(owner.channel_, failed || (events & UV_READABLE) ? fd : ARES_SOCKET_BAD,
                      failed || (events & UV_WRITABLE) ? fd : ARES_SOCKET_BAD);
      owner.set_retry();
    });
  }
  // Frees it, once libuv has let go.
  void close() {
    uv_close(reinterpret_cast<uv_handle_t*>(&handle_), [](uv_handle_t* handle) { delete static_cast<Poll*>(handle->data); });
  }

 private:
  uv_poll_t handle_;
  Resolver& owner_;
  const int fd_;
};

void Resolver::socket_state(void* self, int fd, int readable, int writable) {
  Resolver& r = *static_cast<Resolver*>(self);
  auto at = r.polls_.find(fd);
  if (!readable && !writable) {
    if (at == r.polls_.end()) return;
    at->second->close();
    r.polls_.erase(at);
    return;
  }
  if (at == r.polls_.end()) at = r.polls_.emplace(fd, new Poll(r, fd)).first;
  at->second->want(readable, writable);
}

Resolver::Resolver(Loop& loop, const NameServers& conf)
    : loop_(loop), conf_(conf), retry_{Timer([](Timer& timer) {
        Resolver& self = *reinterpret_cast<Retry&>(timer).owner;
        ares_process_fd(self.channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        self.set_retry();
      }), this} {
  static const int library = ares_library_init(ARES_LIB_INIT_ALL);
  if (library != ARES_SUCCESS) fail("ares_library_init()", library);
  ares_options options{};
  options.flags = ARES_FLAG_NOALIASES;
  // A server that fails or refuses: another one is asked (nginx asks none), and where there is none, it is heard out.
  if (conf.servers.size() == 1) options.flags |= ARES_FLAG_NOCHECKRESP;
  options.timeout = kTryTimeout;
  options.tries = kRounds;
  options.ndots = 0;  // the name as it is
  options.ndomains = 0;
  std::string dns_only = "b";
  options.lookups = dns_only.data();
  options.sock_state_cb = socket_state;
  options.sock_state_cb_data = this;
  const int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS | ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS |
                   ARES_OPT_SOCK_STATE_CB | ARES_OPT_ROTATE;
  if (const int status = ares_init_options(&channel_, &options, mask); status != ARES_SUCCESS) fail("ares_init_options()", status);
  if (const int status = ares_set_servers_ports_csv(channel_, servers_text(conf).c_str()); status != ARES_SUCCESS) {
    ares_destroy(channel_);
    fail("ares_set_servers_ports_csv()", status);
  }
}

Resolver::~Resolver() { ares_destroy(channel_); }

void Resolver::set_retry() {
  timeval left;
  if (const timeval* until = ares_timeout(channel_, nullptr, &left))
    Scheduler::current().arm(retry_.timer, loop_.now() + until->tv_sec * kSecond + until->tv_usec * 1000);
  else if (retry_.timer.armed())
    Scheduler::current().disarm(retry_.timer);
}

// Null: there are too many, and all of them are being asked for.
Resolver::Name* Resolver::name_for(const std::string& name) {
  if (const auto known = names_.find(name); known != names_.end()) return &known->second;
  if (names_.size() >= kMostNames) {
    std::erase_if(names_, [this](const auto& one) { return !one.second.asking && one.second.expires <= loop_.now(); });
    const auto idle = std::find_if(names_.begin(), names_.end(), [](const auto& one) { return !one.second.asking; });
    if (names_.size() >= kMostNames && idle == names_.end()) return nullptr;
    if (names_.size() >= kMostNames) names_.erase(idle);
  }
  return &names_[name];
}

// What c-ares hands back with an answer.
class Resolver::Query {
 public:
  Query(Resolver& owner, std::string name) : owner_(owner), name_(std::move(name)) {}
  static void done(void* arg, int status, int, ares_addrinfo* list) {
    const std::unique_ptr<Query> self(static_cast<Query*>(arg));
    const std::unique_ptr<ares_addrinfo, decltype(&ares_freeaddrinfo)> owner(list, ares_freeaddrinfo);
    if (status != ARES_EDESTRUCTION) self->owner_.answered(self->name_, status, list);
  }

 private:
  Resolver& owner_;
  const std::string name_;
};

// The answer may come before this returns.
void Resolver::ask(const std::string& name) {
  names_.find(name)->second.asking = true;
  ares_addrinfo_hints hints{};
  hints.ai_flags = ARES_AI_NOSORT;
  hints.ai_family = conf_.ipv4 && conf_.ipv6 ? AF_UNSPEC : conf_.ipv4 ? AF_INET : AF_INET6;
  hints.ai_socktype = SOCK_STREAM;
  // c-ares asks nobody for localhost (RFC 6761), as long as it recognises the name; nginx asks.
  const std::string asked = name == "localhost" || name.ends_with(".localhost") ? name + "." : name;
  ares_getaddrinfo(channel_, asked.c_str(), nullptr, &hints, Query::done, new Query(*this, name));
  set_retry();
}

void Resolver::answered(const std::string& name, int status, const ares_addrinfo* list) {
  Name& entry = names_.find(name)->second;
  entry.asking = false;
  entry.result = Resolved();
  std::int64_t ttl = INT32_MAX;
  for (const ares_addrinfo_node* node = list ? list->nodes : nullptr; node; node = node->ai_next) {
    entry.result.addresses.push_back(Address::from(node->ai_addr, node->ai_addrlen).with_port(0));
    ttl = std::min<std::int64_t>(ttl, node->ai_ttl);
  }
  if (entry.result.addresses.empty()) {
    entry.result.error = code_of(status == ARES_SUCCESS ? ARES_ENODATA : status);
    ttl = entry.result.error == ETIMEDOUT ? 0 : kFailureValid;
  }
  if (conf_.valid && entry.result.error != ETIMEDOUT) ttl = conf_.valid->count();
  entry.expires = loop_.now() + ttl * kSecond;
  while (Asker* asker = entry.askers.pop_front()) {
    asker->result = entry.result;
    asker->done.set();
  }
}

Task<Resolved> Resolver::resolve(std::string_view text, Deadline deadline) {
  std::string name = lower(text);
  if (name.ends_with('.')) name.pop_back();
  Resolved found;
  Name* entry = name_for(name);
  if (!entry) {
    found.error = 2;
    co_return found;
  }
  if (!entry->asking && entry->expires <= loop_.now()) {
    ask(name);
    // An answer that is not to be kept has been given all the same.
    if (!entry->asking) co_return entry->result;
  }
  if (!entry->asking) co_return entry->result;
  Asker asker;
  entry->askers.push_back(asker);
  const Errc waited = co_await asker.done.wait(deadline);
  if (waited == Errc::ok) co_return asker.result;
  found.error = ETIMEDOUT;
  co_return found;
}

}  // namespace seawall
