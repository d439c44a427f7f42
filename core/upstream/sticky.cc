#include "seawall/upstream/sticky.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>

#include "seawall/base/check.h"
#include "seawall/base/hex.h"
#include "seawall/base/text.h"
#include "seawall/base/zone_index.h"
#include "seawall/config/binder.h"
#include "seawall/net/loop.h"
#include "seawall/server/cookie.h"
#include "seawall/server/exchange.h"
#include "seawall/tls/md5.h"
#include "seawall/upstream/group.h"

namespace seawall {
namespace {

constexpr const char* kUse = "sticky 1";
constexpr int kDroppedAtMost = 8;
constexpr std::int64_t kMillisecond = 1'000'000;

// A session in the zone, by the MD5 of its id.
class Session {
 public:
  std::int64_t last;  // ms, monotonic: when it was learned or used
  std::uint8_t size;
  char peer[Sticky::kLongestId];
};
using Sessions = ZoneIndex<Session>;

std::string key_of(const std::string& id) {
  const Md5 hash = md5_of({id});
  return std::string(reinterpret_cast<const char*>(hash.data()), hash.size());
}

// A little work for each new one.
void forget_old(Sessions& sessions, std::int64_t now, std::int64_t timeout) {
  for (int i = 0; i < 2; ++i) {
    Session* const oldest = sessions.oldest();
    if (!oldest || now - oldest->last < timeout) return;
    sessions.remove(oldest);
  }
}

Session* add(Sessions& sessions, const std::string& key) {
  Session* session = sessions.add(key);
  for (int dropped = 0; !session && dropped < kDroppedAtMost && sessions.drop_oldest(); ++dropped) session = sessions.add(key);
  return session;
}

bool is_same_site(std::string_view word) {
  constexpr std::string_view known[] = {"strict", "lax", "none"};
  return std::any_of(std::begin(known), std::end(known), [&](std::string_view one) { return equals_ignoring_case(one, word); });
}

// As browsers have read it since Netscape's.
std::string cookie_time(std::time_t time) {
  tm parts{};
  ::gmtime_r(&time, &parts);
  char text[64];
  return std::string(text, std::strftime(text, sizeof text, parts.tm_year > 137 ? "%a, %d-%b-%Y %H:%M:%S GMT" : "%a, %d-%b-%y %H:%M:%S GMT", &parts));
}

// What follows NAME= in one of the words; `duplicate` when it was there already.
std::optional<std::string> value_of(const std::string& word, std::string_view name) {
  if (!word.starts_with(name)) return std::nullopt;
  return word.substr(name.size());
}

[[noreturn]] void fail(const std::string& what) { throw ConfigError("\"sticky\" directive " + what); }

void only_once(bool set, const char* name) {
  if (set) fail(std::string("parameter \"") + name + "\" is duplicate");
}

std::string first_of(const std::vector<Template>& values, Exchange& x) {
  for (const Template& value : values)
    if (std::string text = value.eval(x); !text.empty()) return text;
  return {};
}

}  // namespace

std::string Sticky::id_of(std::string_view name) {
  return hex_of(md5_of({name}));
}

Sticky::Sticky(const Invocation& in, const std::string& group) {
  if (in.arg(0) == "cookie") parse_cookie(in);
  else if (in.arg(0) == "route") parse_route(in);
  else if (in.arg(0) == "learn") parse_learn(in, group);
  else throw ConfigError("unknown parameter \"" + in.arg(0) + "\"");
}

void Sticky::parse_cookie(const Invocation& in) {
  cookie_ = in.arg(1);
  if (cookie_.empty()) fail("empty cookie name");
  for (std::size_t i = 2; i < in.args().size(); ++i) {
    const std::string& word = in.arg(i);
    if (const auto domain = value_of(word, "domain=")) {
      only_once(!domain_.empty(), "domain");
      if (domain->empty()) fail("no value for \"domain\"");
      domain_ = in.compile(*domain);
    } else if (const auto path = value_of(word, "path=")) {
      only_once(!path_.empty(), "path");
      if (path->empty()) fail("no value for \"path\"");
      path_ = *path;
    } else if (const auto expires = value_of(word, "expires=")) {
      only_once(expires_.has_value(), "expires");
      const auto time = time_of(*expires);
      if (*expires != "max" && !time) fail("invalid \"expires\" parameter value");
      expires_ = *expires == "max" ? std::chrono::seconds(-1) : std::chrono::duration_cast<std::chrono::seconds>(*time);
    } else if (word == "httponly") {
      only_once(std::exchange(http_only_, true), "httponly");
    } else if (word == "secure") {
      only_once(std::exchange(secure_, true), "secure");
    } else if (const auto site = value_of(word, "samesite=")) {
      only_once(!same_site_.empty(), "samesite");
      same_site_ = in.compile(*site);
      if (same_site_.is_literal() && !is_same_site(*site)) fail("invalid \"samesite\" parameter value");
    } else {
      throw ConfigError("unknown parameter \"" + word + "\"");
    }
  }
}

void Sticky::parse_route(const Invocation& in) {
  for (std::size_t i = 1; i < in.args().size(); ++i) {
    if (!in.arg(i).starts_with('$')) throw ConfigError("invalid variable name \"" + in.arg(i) + "\"");
    lookup_.push_back(in.compile(in.arg(i)));
  }
}

void Sticky::parse_learn(const Invocation& in, const std::string& group) {
  std::string zone_text;
  bool timeout_set = false;
  for (std::size_t i = 1; i < in.args().size(); ++i) {
    const std::string& word = in.arg(i);
    if (word.starts_with("zone=")) {
      if (!zone_text.empty()) fail("duplicate zone");
      zone_text = word;
    } else if (const auto time_text = value_of(word, "timeout=")) {
      if (std::exchange(timeout_set, true)) fail("duplicate timeout");
      const auto time = time_of(*time_text);
      if (!time || time->count() == 0) fail("invalid timeout");
      timeout_ = *time;
    } else if (const auto create = value_of(word, "create=")) {
      if (!create->starts_with('$')) fail("missing variable in the \"create\" parameter");
      create_.push_back(in.compile(*create));
    } else if (const auto lookup = value_of(word, "lookup=")) {
      if (!lookup->starts_with('$')) fail("missing variable in the \"lookup\" parameter");
      lookup_.push_back(in.compile(*lookup));
    } else if (word == "header") {
      after_head_ = true;
    } else {
      throw ConfigError("unknown parameter \"" + word + "\"");
    }
  }
  if (lookup_.empty()) fail("\"lookup\" parameter is not specified");
  if (create_.empty()) fail("\"create\" parameter is not specified");
  if (zone_text.empty()) fail("\"zone\" parameter is not specified");
  Zone& zone = in.binder.zones().declare(in, zone_text, kUse);
  if (zone.data)
    throw ConfigError("sticky zone \"" + zone.name + "\" is already used in upstream \"" +
                      *static_cast<const std::string*>(zone.data.get()) + "\"");
  zone.data = std::make_shared<const std::string>(group);
  zone_ = &zone;
}

std::string Sticky::find(Exchange& x) const {
  if (!cookie_.empty()) return std::string(find_cookie(x.request.headers, cookie_).value_or(std::string_view()));
  std::string id = first_of(lookup_, x);
  if (!zone_ || id.empty()) return id;
  return known_session(id, x.loop.now() / kMillisecond);
}

std::string Sticky::known_session(const std::string& id, std::int64_t now) const {
  const std::string key = key_of(id);
  const Zone::Lock lock(*zone_);
  Sessions sessions(zone_->memory());
  Session* const session = sessions.find(key);
  if (!session) return {};
  if (now - session->last < timeout_.count()) return std::string(session->peer, session->size);
  sessions.remove(session);
  return {};
}

void Sticky::learn(Exchange& x, const Peer& peer) const {
  std::string id = first_of(create_, x);
  const bool creates = !id.empty();
  if (!creates) id = first_of(lookup_, x);
  if (id.empty()) return;
  const std::string key = key_of(id);
  const std::int64_t now = x.loop.now() / kMillisecond;
  const Zone::Lock lock(*zone_);
  Sessions sessions(zone_->memory());
  Session* session = sessions.find(key);
  if (!session && creates) {
    forget_old(sessions, now, timeout_.count());
    session = add(sessions, key);
    if (!session) x.log(Level::alert, "could not allocate node in sticky session zone \"" + zone_->name + "\"");
  }
  if (!session) return;
  session->last = now;
  session->size = static_cast<std::uint8_t>(peer.id.size());
  std::memcpy(session->peer, peer.id.data(), peer.id.size());
}

std::string Sticky::cookie_for(Exchange& x, const Peer& peer) const {
  if (cookie_.empty()) return {};
  std::string text = cookie_ + "=" + peer.id;
  if (expires_ && expires_->count() < 0) text += "; expires=Thu, 31-Dec-37 23:55:55 GMT; max-age=315360000";
  else if (expires_) text += "; expires=" + cookie_time(std::time(nullptr) + expires_->count()) + "; max-age=" + std::to_string(expires_->count());
  if (const std::string domain = domain_.eval(x); !domain.empty()) text += "; domain=" + domain;
  if (http_only_) text += "; httponly";
  if (secure_) text += "; secure";
  if (std::string site = same_site_.eval(x); !site.empty()) text += "; samesite=" + (is_same_site(site) ? site : "strict");
  if (!path_.empty()) text += "; path=" + path_;
  return text;
}

}  // namespace seawall
