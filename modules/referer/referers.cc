#include "referers.h"

#include <algorithm>

#include "seawall/base/text.h"
#include "seawall/server/exchange.h"
#include "seawall/server/vhost.h"

namespace seawall::referer {
namespace {

// How well a name, which may be a wildcard, fits a host: nothing at all 0, the longest tail of a name before the longest head of
// one, the whole name best.
std::size_t fit(std::string_view name, std::string_view host) {
  constexpr std::size_t kWhole = 1 << 20, kTail = 1 << 10;
  if (name == host) return kWhole;
  if (name.starts_with('.') && name.substr(1) == host) return kWhole;
  if (name.starts_with("*.")) name.remove_prefix(1);
  if (name.starts_with('.')) return host.size() > name.size() && host.ends_with(name) ? kTail + name.size() : 0;
  if (!name.ends_with(".*")) return 0;
  name.remove_suffix(1);
  return host.size() > name.size() && host.starts_with(name) ? name.size() : 0;
}

bool is_name(std::string_view host) {
  const auto stars = std::count(host.begin(), host.end(), '*');
  const bool wild = host.starts_with("*.") || host.ends_with(".*");
  return !host.empty() && host != "." && host.find("..") == host.npos && stars == (wild ? 1 : 0);
}

bool matches(const Regex& regex, std::string_view text) { return regex.match(text) == Regex::Outcome::matched; }

bool is_own_name(const Exchange& x, std::string_view host) {
  return std::any_of(x.vhost->names.begin(), x.vhost->names.end(), [&](const ServerName& name) {
    return name.regex ? matches(*name.regex, host) : fit(name.text, host) > 0;
  });
}

// What follows http:// or https://; nothing when there is no more than a scheme.
std::string_view without_scheme(std::string_view referer) {
  if (referer.size() < std::string_view("http://i.ru").size()) return {};
  for (const std::string_view scheme : {"http://", "https://"})
    if (equals_ignoring_case(referer.substr(0, scheme.size()), scheme)) return referer.substr(scheme.size());
  return {};
}

}  // namespace

void Referers::add(const std::string& word) {
  if (word.empty()) throw ConfigError("invalid referer \"\"");
  if (word == "none") none_ = true;
  else if (word == "blocked") blocked_ = true;
  else if (word == "server_names") server_names_ = true;
  else if (word == "~") throw ConfigError("empty regex in \"~\"");
  else if (word[0] == '~') regexes_.push_back(Regex::compile(word.substr(1), true));
  else {
    const auto slash = std::min(word.find('/'), word.size());
    Name name;
    name.host = lower(word.substr(0, slash));
    name.uri = word.substr(slash);
    if (!is_name(name.host)) throw ConfigError("invalid hostname or wildcard \"" + word.substr(0, slash) + "\"");
    for (const Name& known : names_)
      if (known.host == name.host) throw ConfigError("conflicting parameter \"" + word.substr(0, slash) + "\"");
    names_.push_back(std::move(name));
  }
}

void Referers::check() const {
  if ((none_ || blocked_) && names_.empty() && !server_names_)
    throw ConfigError("the \"none\" or \"blocked\" referers are specified in the \"valid_referers\" directive without any valid referer");
}

bool Referers::takes(const Exchange& x) const {
  const Field* field = x.request.headers.find(FieldId::referer);
  if (!field) return none_;
  const std::string_view url = without_scheme(field->value);
  return url.empty() ? blocked_ : takes_url(x, url);
}

bool Referers::takes_url(const Exchange& x, std::string_view url) const {
  const std::string host = lower(url.substr(0, url.find_first_of("/:")));
  if (host.size() > 256) return false;  // as in nginx
  if (const Name* name = find(host)) {
    const auto slash = url.find('/', host.size());
    return name->uri.empty() || (slash != url.npos && url.substr(slash).starts_with(name->uri));
  }
  if (server_names_ && is_own_name(x, host)) return true;
  return std::any_of(regexes_.begin(), regexes_.end(), [&](const auto& regex) { return matches(*regex, url); });
}

const Referers::Name* Referers::find(std::string_view host) const {
  const Name* best = nullptr;
  std::size_t best_fit = 0;
  for (const Name& name : names_) {
    const std::size_t f = fit(name.host, host);
    if (f <= best_fit) continue;
    best_fit = f;
    best = &name;
  }
  return best;
}

}  // namespace seawall::referer
