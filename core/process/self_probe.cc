#include "seawall/process/self_probe.h"

#include <set>
#include <utility>
#include <vector>

#include "seawall/net/loop.h"
#include "seawall/process/own_client.h"
#include "seawall/tls/context.h"

namespace seawall {
namespace {

constexpr std::size_t kMost = 64;  // servers asked: each takes a millisecond, and 10,000 are not to hold up a reload
constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nConnection: close\r\n\r\n";

using Target = std::pair<const Endpoint*, const Vhost*>;

// Certificates with variables need not be there for everybody.
bool shakes_hands(const Vhost& vhost) {
  const auto& given = vhost.tls_conf->given;
  return vhost.tls && !vhost.tls->settings().pairs_vary && !vhost.tls->settings().pairs_asked && !*vhost.tls_conf->reject_handshake && (!given || given->is_there());
}

bool has_plain_name(const Vhost& vhost) { return !vhost.primary_name.empty() && vhost.primary_name.find_first_of("*~") == std::string::npos; }

// Each address by its default server, and each other certificate by a server that has it.
std::vector<Target> targets_of(const HttpConf& http) {
  std::vector<Target> targets;
  std::set<const TlsContext*> asked;
  for (const Endpoint& endpoint : http.endpoints.all()) {
    const Vhost& first = *endpoint.default_server;
    if (!endpoint.options.ssl || shakes_hands(first)) targets.emplace_back(&endpoint, &first);
    asked.insert(first.tls.get());
    if (!endpoint.options.ssl) continue;
    for (const Vhost* vhost : endpoint.servers)
      if (shakes_hands(*vhost) && has_plain_name(*vhost) && asked.insert(vhost->tls.get()).second) targets.emplace_back(&endpoint, vhost);
  }
  if (targets.size() > kMost) targets.resize(kMost);
  return targets;
}

// Whoever closes without a word (444) has answered, too.
std::string ask_over(OwnClient& client) {
  if (!client.send(kRequest)) return "it takes no request";
  std::string answer;
  if (client.read(answer) == OwnClient::Read::late) return "no answer in time";
  return answer.empty() || answer.starts_with("HTTP/") ? std::string() : "the answer is no HTTP";
}

}  // namespace

SelfProbe::~SelfProbe() {
  stopped_ = true;
  if (thread_.joinable()) thread_.join();
}

void SelfProbe::start(std::function<void(std::string)> done) {
  thread_ = std::thread([this, done = std::move(done)] {
    server_.loop.post([done, wrong = ask_all()] { done(wrong); });
  });
}

std::string SelfProbe::ask_all() {
  for (const auto& [endpoint, vhost] : targets_of(http_)) {
    if (stopped_) break;
    const std::string wrong = ask(*endpoint, *vhost);
    if (!wrong.empty() && !stopped_)
      return "the server \"" + vhost->primary_name + "\" in " + vhost->place.text() + " does not answer on " +
             endpoint->address.text_with_port() + ": " + wrong;
  }
  return {};
}

std::string SelfProbe::ask(const Endpoint& endpoint, const Vhost& vhost) try {
  const Probe& probe = probes_.emplace_back(endpoint);
  OwnClient client;
  const auto end = std::make_shared<Fd>(client.take_server_end());
  server_.loop.post([this, end, &probe] { server_.serve_probe(std::move(*end), probe); });
  const std::string wrong = client.begin(endpoint, vhost, has_plain_name(vhost) ? vhost.primary_name : std::string());
  return wrong.empty() ? ask_over(client) : wrong;
} catch (const std::exception& error) {  // no descriptor, say
  return error.what();
}

}  // namespace seawall
