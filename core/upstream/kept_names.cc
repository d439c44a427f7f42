#include "seawall/upstream/kept_names.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "seawall/base/text.h"
#include "seawall/base/zone_index.h"
#include "seawall/config/zones.h"
#include "seawall/log/log.h"
#include "seawall/net/loop.h"
#include "seawall/upstream/balancer.h"

namespace seawall {
namespace {

constexpr int kNoSuchName = 3;
constexpr std::int64_t kMillisecond = 1'000'000;

// What a server's name stands for at present.
class Found {
 public:
  std::vector<Peer> primary, backup;
};

// ---- what the next configuration is to know: lines "p|b WEIGHT LABEL ADDRESS", by the name and its service -----------

class Note {
 public:
  ZoneRef text;
  std::uint32_t size;
};
using Notes = ZoneIndex<Note>;

std::string key_of(const UpstreamServer& server) { return lower(server.url.host) + "\n" + server.service; }

std::string lines_of(const Found& found) {
  std::string text;
  const auto add = [&](const std::vector<Peer>& peers, char tier) {
    for (const Peer& peer : peers)
      text.append(1, tier).append(" " + std::to_string(peer.weight) + " " + peer.label + " " + peer.address.text_with_port() + "\n");
  };
  add(found.primary, 'p');
  add(found.backup, 'b');
  return text;
}

void remember(const Group& group, const UpstreamServer& server, const Found& found) {
  if (!group.zone) return;
  const std::string text = lines_of(found);
  const Zone::Lock lock(*group.zone);
  SharedZone& memory = group.zone->memory();
  Notes notes(memory);
  const std::string key = key_of(server);
  Note* const known = notes.find(key);
  Note* const note = known ? known : notes.add(key);
  const ZoneRef place = note ? memory.allocate(std::max<std::size_t>(text.size(), 1)) : 0;
  if (!place) {
    if (note && !known) notes.remove(note);
    log(Level::warn, "the zone \"" + group.zone->name + "\" has no room for the addresses of " + server.url.host);
    return;
  }
  if (known) memory.free(known->text);
  std::memcpy(memory.at<char>(place), text.data(), text.size());
  note->text = place;
  note->size = static_cast<std::uint32_t>(text.size());
}

std::string recall(const Group& group, const UpstreamServer& server) {
  if (!group.zone) return {};
  const Zone::Lock lock(*group.zone);
  SharedZone& memory = group.zone->memory();
  const Note* const note = Notes(memory).find(key_of(server));
  return note ? std::string(memory.at<char>(note->text), note->size) : std::string();
}

std::string_view next_word(std::string_view& line) {
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(word.size() + 1, line.size()));
  return word;
}

// The settings, and for a name its port, are those of now.
Found parse(std::string_view text, const Group& group, const UpstreamServer& server) {
  Found found;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const bool last = next_word(line) == "b";
    const auto weight = parse_decimal(next_word(line));
    const std::string label(next_word(line));
    const auto address = Address::parse(line);
    if (!address || !weight) continue;
    Peer peer = group.make_peer(server.service.empty() ? address->with_port(server.url.port) : *address, server);
    if (!server.service.empty()) {
      peer.label = label;
      if (server.weight == 1) peer.weight = std::max(1, static_cast<int>(*weight));
    }
    (last ? found.backup : found.primary).push_back(std::move(peer));
  }
  return found;
}

// ---- what has been heard now -----------------------------------------------------------------------------------------

Found peers_of(const Resolved& heard, const Group& group, const UpstreamServer& server) {
  Found found;
  std::vector<Peer>& peers = server.backup ? found.backup : found.primary;
  for (const Address& address : heard.addresses) peers.push_back(group.make_peer(address.with_port(server.url.port), server));
  return found;
}

// Those of the lowest priority come first, others are their backups.
Found peers_of(const ResolvedService& heard, const Group& group, const UpstreamServer& server) {
  Found found;
  int first = INT32_MAX;
  for (const auto& host : heard.hosts)
    if (!host.found.addresses.empty()) first = std::min<int>(first, host.record.priority);
  for (const auto& host : heard.hosts) {
    const bool last = host.record.priority != first;
    if (last && !group.takes_backups()) continue;
    for (const Address& address : host.found.addresses) {
      Peer peer = group.make_peer(address, server);
      peer.label = host.record.host;
      if (server.weight == 1) peer.weight = std::max<int>(1, host.record.weight);
      (last || server.backup ? found.backup : found.primary).push_back(std::move(peer));
    }
  }
  return found;
}

void log_failed_hosts(const ResolvedService& heard, const UpstreamServer& server) {
  for (const auto& host : heard.hosts)
    if (host.found.error)
      log(Level::error, host.record.host + " could not be resolved (" + host.found.text() + ") while resolving service " + server.service +
                          " of " + server.url.host);
}

void be(const Group& group, const UpstreamServer& server, Found found) {
  remember(group, server, found);
  group.common->replace(server, std::move(found.primary), std::move(found.backup));
}

// Takes what was heard; how long until it is asked again. That nobody could say changes nothing.
template <class Heard>
Milliseconds take(const Heard& heard, const Resolved& itself, const Group& group, const UpstreamServer& server, std::int64_t now) {
  if (itself.error) {
    const std::string service = server.service.empty() ? "" : "service " + server.service + " of ";
    log(Level::error, service + server.url.host + " could not be resolved (" + itself.text() + ")");
  }
  if (itself.error && itself.error != kNoSuchName) {
    group.common->heard_of(server);
    return std::max(group.resolver_timeout, Milliseconds(1000));
  }
  be(group, server, peers_of(heard, group, server));
  return Milliseconds(std::max<std::int64_t>(itself.expires - now, 0) / kMillisecond + 1000);
}

Task<void> ask(Loop& loop, const Group& group, const UpstreamServer& server, Resolver& resolver) {
  for (;;) {
    const Deadline until = Deadline::in(group.resolver_timeout, Wait::connect);
    Milliseconds pause;
    if (server.service.empty()) {
      const Resolved heard = co_await resolver.resolve(server.url.host, until);
      if (loop.scope().cancelled()) co_return;
      pause = take(heard, heard, group, server, loop.now());
    } else {
      const ResolvedService heard = co_await resolver.resolve_service(server.service, server.url.host, until);
      if (loop.scope().cancelled()) co_return;
      log_failed_hosts(heard, server);
      pause = take(heard, heard.found, group, server, loop.now());
    }
    const Errc slept = co_await sleep_until(Deadline::in(pause, Wait::drain));
    if (slept == Errc::cancelled) co_return;
  }
}

}  // namespace

void KeptNames::keep(Loop& loop, const std::deque<std::shared_ptr<Group>>& groups) {
  for (const auto& group : groups) {
    for (const UpstreamServer& server : group->servers) {
      if (!server.resolve) continue;
      if (const std::string known = recall(*group, server); !known.empty()) {
        Found found = parse(known, *group, server);
        group->common->replace(server, std::move(found.primary), std::move(found.backup));
      }
      std::unique_ptr<Resolver>& resolver = resolvers_[group->name_servers.get()];
      if (!resolver) resolver = std::make_unique<Resolver>(loop, *group->name_servers);
      loop.scope().spawn(ask(loop, *group, server, *resolver));
    }
  }
}

}  // namespace seawall
