// The realip module: a client behind a trusted proxy is known by the address that the proxy tells, for everything that asks
// who it is: logs, access, limits, variables.
#include <netdb.h>
#include <netinet/in.h>

#include <memory>
#include <string>
#include <vector>

#include "seawall/net/cidr.h"
#include "told.h"
#include "seawall/module/module.h"

namespace seawall::realip {

// Where a proxy tells it.
class Source {
 public:
  enum class Kind : std::uint8_t { field, forwarded_for, forwarded, proxy_protocol };
  Kind kind = Kind::field;
  std::string name = "X-Real-IP";
};

class Conf {
 public:
  Setting<std::vector<Cidr>> from;
  Setting<Source> header;
  Setting<bool> recursive{false};
};

class RealIp {
 public:
  using Conf = realip::Conf;
  static constexpr const char* name = "realip";
  static constexpr const char* summary = "takes clients' addresses from trusted proxies";
  // The connection is its own again when the request has ended: the next one may be for somebody else.
  class State {
   public:
    ~State() { if (connection) connection->remote = original; }
    ConnectionInfo* connection = nullptr;  // null: nothing has been replaced
    Address original;
  };
  static const Directive directives[3];
  static const Step steps[2];
  static const VariableRow variables[2];
};

namespace {

bool is_trusted(const Conf& conf, const Address& address) {
  for (const Cidr& range : *conf.from)
    if (range.contains(address)) return true;
  return false;
}

// From the nearest to the farthest: each is believed when the one that tells it is trusted; without real_ip_recursive the
// first is the last.
class Search {
 public:
  Search(const Conf& conf, Address current) : conf_(conf), current_(std::move(current)) {}
  bool take(const std::optional<Address>& told) {
    if (!is_trusted(conf_, current_) || !told) return false;
    current_ = *told;
    found_ = true;
    return *conf_.recursive;
  }
  bool found() const { return found_; }
  const Address& result() const { return current_; }

 private:
  const Conf& conf_;
  Address current_;
  bool found_ = false;
};

void search_fields(Search& search, const Headers& headers, FieldId id, bool (*each)(std::string_view, const Take&)) {
  const auto fields = headers.all();
  const Take take = [&](const std::optional<Address>& told) { return search.take(told); };
  for (auto field = fields.rbegin(); field != fields.rend(); ++field)
    if (field->id == id && !each(field->value, take)) return;
}

void search(Search& search, const Exchange& x, const Source& source) {
  switch (source.kind) {
    case Source::Kind::forwarded_for: return search_fields(search, x.request.headers, FieldId::x_forwarded_for, for_each_in_list);
    case Source::Kind::forwarded: return search_fields(search, x.request.headers, FieldId::forwarded, for_each_in_forwarded);
    case Source::Kind::proxy_protocol:
      if (const auto& told = x.connection.proxied; told && !told->client.empty()) search.take(told->client);
      return;
    case Source::Kind::field:
      if (const Field* field = x.request.headers.find(source.name))
        for_each_in_list(field->value, [&](const std::optional<Address>& told) { return search.take(told); });
  }
}

bool active(const Conf& conf) { return !conf.from->empty(); }

// Before everything else, and again in the location where settings may be others: until an address has been taken.
Outcome replace(Exchange& x, const Conf& conf) {
  auto& state = x.main().state<RealIp>();
  if (state.connection) return Next{};
  Search found(conf, x.connection.remote);
  search(found, x, *conf.header);
  if (!found.found()) return Next{};
  state.original = x.connection.remote;
  state.connection = &x.connection;
  x.connection.remote = found.result();
  return Next{};
}

// set_real_ip_from ADDRESS | CIDR | unix: | HOST;
void append_from(std::vector<Cidr>& from, const Invocation& in) {
  const std::string& text = in.arg(0);
  if (const auto range = Cidr::parse(text)) {
    if (range->had_low_bits()) in.warn("low address bits of " + text + " are meaningless");
    from.push_back(*range);
    return;
  }
  addrinfo wanted{}, *list = nullptr;
  wanted.ai_socktype = SOCK_STREAM;
  if (text.find('/') != std::string::npos || ::getaddrinfo(text.c_str(), nullptr, &wanted, &list) != 0)
    throw ConfigError("host not found in set_real_ip_from \"" + text + "\"");
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, ::freeaddrinfo);
  for (const addrinfo* found = list; found; found = found->ai_next)
    if (const auto range = Cidr::parse(Address::from(found->ai_addr, found->ai_addrlen).text())) from.push_back(*range);
}

Source parse_header(const Invocation& in) {
  Source source;
  source.name = in.arg(0);
  if (source.name == "X-Forwarded-For") source.kind = Source::Kind::forwarded_for;
  else if (source.name == "Forwarded") source.kind = Source::Kind::forwarded;
  else if (source.name == "proxy_protocol") source.kind = Source::Kind::proxy_protocol;
  return source;
}

const Address& original(Exchange& x) {
  const auto& state = x.main().state<RealIp>();
  return state.connection ? state.original : x.connection.remote;
}

bool remote_addr(Exchange& x, std::string_view, const void*, std::string& out) {
  out += original(x).text();
  return true;
}

bool remote_port(Exchange& x, std::string_view, const void*, std::string& out) {
  if (const int port = original(x).port()) out += std::to_string(port);
  return true;
}

}  // namespace

const Directive RealIp::directives[] = {
    list<Conf, Cidr>("set_real_ip_from", kAllHttp, 1, 1, "address | CIDR | unix: | host", &Conf::from, append_from,
                     "Proxies that are believed; a host's addresses are looked up once, at the start."),
    directive<Conf, Source>("real_ip_header", kAllHttp, 1, 1, "field | X-Forwarded-For | Forwarded | proxy_protocol", &Conf::header,
                            parse_header, "Where they tell their client's address; Forwarded is ours (RFC 7239).", "X-Real-IP"),
    flag<Conf>("real_ip_recursive", kAllHttp, &Conf::recursive,
               "In a list, goes on behind trusted addresses to the last one that is not trusted."),
};

const Step RealIp::steps[] = {step<Conf, active, replace>(Phase::post_read), step<Conf, active, replace>(Phase::preaccess)};

const VariableRow RealIp::variables[] = {{"realip_remote_addr", remote_addr}, {"realip_remote_port", remote_port}};

}  // namespace seawall::realip

using seawall::realip::RealIp;
SEAWALL_MODULE(RealIp)
