#include "seawall/route/server_names.h"

#include <algorithm>

#include "seawall/base/text.h"
#include "seawall/config/tree.h"

namespace seawall {
namespace {

constexpr auto npos = std::string_view::npos;

// Takes the last label off `rest`; `rest` keeps what stands before its dot.
std::string_view take_last(std::string_view& rest) {
  const auto dot = rest.rfind('.');
  const auto label = rest.substr(dot == npos ? 0 : dot + 1);
  rest = rest.substr(0, dot == npos ? 0 : dot);
  return label;
}

std::string_view take_first(std::string_view& rest) {
  const auto dot = rest.find('.');
  const auto label = rest.substr(0, dot);
  rest = dot == npos ? std::string_view{} : rest.substr(dot + 1);
  return label;
}

// At most one '*', and that as "*." in front or ".*" behind; no empty label, no NUL.
bool is_well_formed(std::string_view name) {
  const auto stars = std::count(name.begin(), name.end(), '*');
  if (stars > 1 || name.find("..") != npos || name.find('\0') != npos) return false;
  if (stars == 0 || (name.size() > 1 && name.starts_with('.'))) return true;
  return name.size() > 2 && (name.starts_with("*.") || name.ends_with(".*"));
}

bool captures_something(const ServerNames::Server& server) {
  return std::any_of(server.names.begin(), server.names.end(),
                     [](const ServerName& n) { return n.regex && n.regex->groups() > 0; });
}

}  // namespace

ServerName ServerName::parse(const std::string& word, const std::string& hostname,
                             const std::function<void(const std::string&)>& warn) {
  if ((word.starts_with('*') && (word.size() < 3 || word[1] != '.')) || word == ".")
    throw ConfigError("server name \"" + word + "\" is invalid");
  if (word.find('/') != std::string::npos) warn("server name \"" + word + "\" has suspicious symbols");
  ServerName name;
  name.text = lower(equals_ignoring_case(word, "$hostname") ? hostname : word);
  if (!word.starts_with('~')) return name;
  if (word.size() == 1) throw ConfigError("empty regex in server name \"" + word + "\"");
  // Hosts come in lower case; a pattern with capitals could never match if it minded the case.
  const bool caseless = std::any_of(word.begin(), word.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  name.text = word;
  name.regex = Regex::compile(word.substr(1), caseless);
  return name;
}

std::string ServerName::primary() const { return !regex && text.starts_with('.') ? text.substr(1) : text; }

ServerNames::ServerNames(const std::string& address, std::span<const Server> servers,
                         const std::function<void(const std::string&)>& warn) {
  if (servers.empty() || (servers.size() == 1 && !captures_something(servers.front()))) return;
  for (const Server& server : servers) {
    for (const ServerName& name : server.names) {
      if (name.regex) {
        regexes_.push_back({name.regex, server.vhost});
        continue;
      }
      if (!is_well_formed(name.text))
        throw ConfigError("invalid server name or wildcard \"" + name.text + "\" on " + address);
      if (!add(name.text, server.vhost))
        warn("conflicting server name \"" + name.text + "\" on " + address + ", ignored");
    }
  }
}

// False: the name is taken.
bool ServerNames::add(std::string_view name, const Vhost* vhost) {
  if (name.size() > 1 && name.starts_with('.')) {
    const auto base = name.substr(1);
    return exact_.find(base) == exact_.end() && add_leading(base, vhost) && exact_.emplace(base, vhost).second;
  }
  if (name.size() > 2 && name.starts_with("*.")) return add_leading(name.substr(2), vhost);
  if (name.size() > 2 && name.ends_with(".*")) return add_trailing(name.substr(0, name.size() - 2), vhost);
  return exact_.emplace(name, vhost).second;
}

bool ServerNames::add_leading(std::string_view base, const Vhost* vhost) {
  Label* at = &leading_;
  while (!base.empty()) {
    auto& next = at->next[std::string(take_last(base))];
    if (!next) next = std::make_unique<Label>();
    at = next.get();
  }
  if (at->vhost) return false;
  at->vhost = vhost;
  return true;
}

bool ServerNames::add_trailing(std::string_view base, const Vhost* vhost) {
  Label* at = &trailing_;
  while (!base.empty()) {
    auto& next = at->next[std::string(take_first(base))];
    if (!next) next = std::make_unique<Label>();
    at = next.get();
  }
  if (at->vhost) return false;
  at->vhost = vhost;
  return true;
}

// A wildcard needs something in front of it: a node counts only while its dot and what precedes it remain.
const Vhost* ServerNames::find_leading(std::string_view host) const {
  const Vhost* best = nullptr;
  const Label* at = &leading_;
  while (!at->next.empty() && host.find('.') != npos) {
    const auto next = at->next.find(take_last(host));
    if (next == at->next.end()) return best;
    at = next->second.get();
    if (at->vhost) best = at->vhost;
  }
  return best;
}

const Vhost* ServerNames::find_trailing(std::string_view host) const {
  const Vhost* best = nullptr;
  const Label* at = &trailing_;
  while (!at->next.empty() && host.find('.') != npos) {
    const auto next = at->next.find(take_first(host));
    if (next == at->next.end()) return best;
    at = next->second.get();
    if (at->vhost) best = at->vhost;
  }
  return best;
}

ServerMatch ServerNames::find_regex(std::string_view host, Captures* captures) const {
  ServerMatch match;
  for (const Pattern& pattern : regexes_) {
    const auto outcome = pattern.regex->match(host, captures);
    if (outcome == Regex::Outcome::no_match) continue;
    match.failed = outcome == Regex::Outcome::failed;
    if (match.failed) return match;
    match.vhost = pattern.vhost;
    match.regex = pattern.regex.get();
    return match;
  }
  return match;
}

ServerMatch ServerNames::find(std::string_view host, Captures* captures) const {
  ServerMatch match;
  if (const auto found = exact_.find(host); found != exact_.end()) match.vhost = found->second;
  if (match.vhost || host.empty()) return match;
  match.vhost = find_leading(host);
  if (!match.vhost) match.vhost = find_trailing(host);
  return match.vhost ? match : find_regex(host, captures);
}

}  // namespace seawall
