// Sticky: how a client comes back to the peer that it had: a cookie names it (cookie), the request does (route), or what a peer has
// given the client once is remembered (learn). Part of a group; immutable after start-up but for the sessions, which lie in a zone
// that survives reloads. Any loop.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "seawall/base/export.h"
#include "seawall/config/template.h"

namespace seawall {

class Exchange;
class Invocation;
class Peer;
class Zone;

class SEAWALL_API Sticky {
 public:
  // sticky cookie NAME ... | route $variable ... | learn ...; ConfigError in nginx's words. `group`: whose it is.
  Sticky(const Invocation& in, const std::string& group);

  static constexpr std::size_t kLongestId = 32;
  // Of a peer without `route`: the MD5 of its address, as in nginx, so that both know each other's cookies.
  static std::string id_of(std::string_view name);

  // The id of the peer that this request is for; empty: any.
  std::string find(Exchange& x) const;
  // The value of the Set-Cookie that binds the client to the peer; empty: none is needed.
  std::string cookie_for(Exchange& x, const Peer& peer) const;
  bool learns_from_head() const { return zone_ && after_head_; }
  bool learns_at_end() const { return zone_ && !after_head_; }
  void learn(Exchange& x, const Peer& peer) const;

 private:
  void parse_cookie(const Invocation& in);
  void parse_route(const Invocation& in);
  void parse_learn(const Invocation& in, const std::string& group);
  std::string known_session(const std::string& id, std::int64_t now) const;

  std::string cookie_, path_;                       // empty: not said
  Template domain_, same_site_;
  std::optional<std::chrono::seconds> expires_;     // negative: never
  bool http_only_ = false, secure_ = false;
  std::vector<Template> lookup_, create_;           // the first with a value counts
  const Zone* zone_ = nullptr;                      // of `learn`
  std::chrono::milliseconds timeout_{600'000};
  bool after_head_ = false;
};

}  // namespace seawall
