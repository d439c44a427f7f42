#include "seawall/net/resolver.h"

#define CARES_NO_DEPRECATED  // Debian 12 has nothing newer
#include <ares.h>
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
constexpr std::int64_t kFailureValid = 10;  // seconds, as nginx's; valid= is of answers, and makes it no longer
constexpr int kTryTimeout = 5000;           // ms; c-ares doubles it for each further round
constexpr int kRounds = 3;                  // of all servers: more than resolver_timeout lets it have
constexpr int kMostAliases = 50;            // of a name, one after the other, as nginx's
constexpr int kInternet = 1;

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
  int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS | ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS |
                   ARES_OPT_SOCK_STATE_CB | ARES_OPT_ROTATE;
#ifdef ARES_OPT_QUERY_CACHE
  mask |= ARES_OPT_QUERY_CACHE;  // what is kept is kept here
  options.qcache_max_ttl = 0;
#endif
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
Resolver::Name* Resolver::name_for(const std::string& key) {
  if (const auto known = names_.find(key); known != names_.end()) return &known->second;
  if (names_.size() >= kMostNames) {
    std::erase_if(names_, [this](const auto& one) { return !one.second.asking && one.second.result.expires <= loop_.now(); });
    const auto idle = std::find_if(names_.begin(), names_.end(), [](const auto& one) { return !one.second.asking; });
    if (names_.size() >= kMostNames && idle == names_.end()) return nullptr;
    if (names_.size() >= kMostNames) names_.erase(idle);
  }
  return &names_[key];
}

// A question on its way, over the aliases that its name has.
class Resolver::Query {
 public:
  Query(Resolver& owner, std::string key, std::string name, DnsType type)
      : owner_(owner), key_(std::move(key)), name_(std::move(name)), type_(type) {}

  // The answer may come before this returns.
  static void send(std::unique_ptr<Query> query) {
    Query* const q = query.release();  // c-ares hands it back
    ares_query(q->owner_.channel_, q->name_.c_str(), kInternet, static_cast<int>(q->type_), done, q);
  }

 private:
  static void done(void* arg, int status, int, unsigned char* message, int size) {
    std::unique_ptr<Query> self(static_cast<Query*>(arg));
    if (status == ARES_EDESTRUCTION) return;
    if (status != ARES_SUCCESS) {
      if (status == ARES_EFORMERR && self->again()) return send(std::move(self));
      return self->end(code_of(status));
    }
    Result<DnsAnswer> answer = DnsAnswer::parse({reinterpret_cast<const char*>(message), static_cast<std::size_t>(size)}, self->type_);
    if (!answer) return self->end(1);
    self->ttl_ = std::min(self->ttl_, answer->ttl);
    if (!answer->addresses.empty() || !answer->services.empty()) return self->end(std::move(*answer));
    if (answer->alias.empty()) return self->end(3);
    if (++self->aliases_ > kMostAliases) return self->end(2);
    self->name_ = std::move(answer->alias);
    send(std::move(self));
  }
  // One of several servers did not understand the question: the next is asked.
  bool again() { return owner_.conf_.servers.size() > 1 && ++refused_ < 2 * static_cast<int>(owner_.conf_.servers.size()); }

  void end(int error) {
    Resolved found;
    found.error = error;
    owner_.answered(key_, std::move(found), ttl_);
  }
  void end(DnsAnswer answer) {
    Resolved found;
    found.addresses = std::move(answer.addresses);
    found.services = std::move(answer.services);
    owner_.answered(key_, std::move(found), ttl_);
  }

  Resolver& owner_;
  const std::string key_;
  std::string name_;
  const DnsType type_;
  std::int64_t ttl_ = INT32_MAX;
  int aliases_ = 0, refused_ = 0;
};

// The answers may come before this returns.
void Resolver::ask(const std::string& key, const std::string& name, bool service) {
  std::vector<DnsType> types;
  if (service) types = {DnsType::srv};
  else if (conf_.ipv4) types.push_back(DnsType::a);
  if (!service && conf_.ipv6) types.push_back(DnsType::aaaa);
  Name& entry = names_.find(key)->second;
  entry.asking = static_cast<int>(types.size());
  entry.answers.clear();
  entry.result = Resolved();
  for (const DnsType type : types) Query::send(std::make_unique<Query>(*this, key, name, type));
  set_retry();
}

// When all questions about a name have been answered. One kind of address is enough; that a kind does not exist says less than
// that nobody could say.
void Resolver::answered(const std::string& key, Resolved answer, std::int64_t ttl) {
  Name& entry = names_.find(key)->second;
  answer.expires = ttl;
  entry.answers.push_back(std::move(answer));
  if (--entry.asking > 0) return;
  std::stable_sort(entry.answers.begin(), entry.answers.end(), [](const Resolved& a, const Resolved& b) {
    const auto is_v6 = [](const Resolved& one) { return !one.addresses.empty() && one.addresses.front().family() == AF_INET6; };
    return is_v6(a) < is_v6(b);
  });
  Resolved& all = entry.result;
  std::int64_t valid = INT32_MAX;
  int error = 0;
  for (Resolved& one : entry.answers) {
    all.addresses.insert(all.addresses.end(), one.addresses.begin(), one.addresses.end());
    all.services.insert(all.services.end(), one.services.begin(), one.services.end());
    if (!one.error) valid = std::min(valid, one.expires);
    else if (error == 0 || error == 3) error = one.error;
  }
  entry.answers.clear();
  if (conf_.valid) valid = conf_.valid->count();
  if (all.addresses.empty() && all.services.empty()) {
    all.error = error;
    valid = error == ETIMEDOUT ? 0 : conf_.valid ? std::min(valid, kFailureValid) : kFailureValid;
  }
  all.expires = loop_.now() + valid * kSecond;
  while (Asker* asker = entry.askers.pop_front()) {
    asker->result = all;
    asker->done.set();
  }
}

Task<Resolved> Resolver::find(std::string key, std::string name, bool service, Deadline deadline) {
  Resolved found;
  Name* entry = name_for(key);
  if (!entry) {
    found.error = 2;
    co_return found;
  }
  if (!entry->asking && entry->result.expires > loop_.now()) {
    found = entry->result;
    found.was_known = true;
    co_return found;
  }
  if (!entry->asking) ask(key, name, service);
  if (!entry->asking) co_return entry->result;  // also what is not to be kept
  Asker asker;
  entry->askers.push_back(asker);
  const Errc waited = co_await asker.done.wait(deadline);
  if (waited == Errc::ok) co_return asker.result;
  found.error = ETIMEDOUT;
  co_return found;
}

Task<Resolved> Resolver::resolve(std::string_view text, Deadline deadline) {
  std::string name = lower(text);
  if (name.ends_with('.')) name.pop_back();
  return find(name, name, false, deadline);
}

Task<ResolvedService> Resolver::resolve_service(std::string service, std::string name, Deadline deadline) {
  std::string whole = service.find('.') == std::string::npos ? "_" + service + "._tcp" : service;
  whole = lower(whole.append(".").append(name));
  ResolvedService all;
  all.found = co_await find("SRV " + whole, whole, true, deadline);
  bool any = false;
  int error = all.found.error;
  for (const ServiceRecord& record : all.found.services) {
    ResolvedService::Host host;
    host.record = record;
    host.found = co_await resolve(record.host, deadline);
    for (Address& address : host.found.addresses) address = address.with_port(record.port);
    // Of whom nobody knew, the service has too few hosts until it is asked for again.
    const std::int64_t again = host.found.error == ETIMEDOUT ? loop_.now() + kFailureValid * kSecond : host.found.expires;
    all.found.expires = std::min(all.found.expires, again);
    any = any || !host.found.addresses.empty();
    if (error == 0 || host.found.error == 3) error = host.found.error;
    all.hosts.push_back(std::move(host));
  }
  if (!any) all.found.error = error;  // a service of hosts that have no address is none
  co_return all;
}

}  // namespace seawall
