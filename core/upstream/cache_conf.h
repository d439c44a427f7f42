// The settings of *_cache*: a base of ForwardConf, and their rows. Written at start-up, read by every loop.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "seawall/base/export.h"
#include "seawall/cache/cache_path.h"
#include "seawall/config/directive.h"
#include "seawall/config/setting.h"
#include "seawall/config/template.h"
#include "seawall/http/message.h"

namespace seawall {

class Exchange;

// proxy_cache ZONE | $variable | off
class CacheName {
 public:
  bool off = true;
  Template name;
  const Zone* zone = nullptr;  // of a name without variables
};

// proxy_cache_valid [STATUS ...] TIME; 0: any status
class CacheValid {
 public:
  int status = 0;
  std::int64_t seconds = 0;
};

class SEAWALL_API CacheConf {
 public:
  using ms = std::chrono::milliseconds;
  Setting<CacheName> cache;
  Setting<Template> cache_key;
  Setting<std::vector<CacheValid>> cache_valid;
  Setting<unsigned> cache_methods{0}, cache_use_stale{0};  // bits of Method; of next_upstream
  Setting<std::int64_t> cache_min_uses{1}, cache_max_range_offset{INT64_MAX};
  Setting<std::vector<Template>> cache_bypass, no_cache, cache_purge;
  Setting<bool> cache_lock{false}, cache_revalidate{false}, cache_background_update{false}, cache_convert_head{true};
  Setting<ms> cache_lock_timeout{ms(5000)}, cache_lock_age{ms(5000)};

  // After inheritance. ConfigError in nginx's words.
  void finish_cache(const char* prefix, bool has_default_key, const Binder& binder) const;
  bool caches() const { return !cache->off; }
  bool caches_method(Method method) const;
  // How long a response with this status is kept where it does not say; 0: it is not.
  std::int64_t valid_for(int status) const;
};

// Is any of the values neither empty nor "0"?
SEAWALL_API bool holds_any(const std::vector<Template>& values, Exchange& x);
// The cache of that name; null: there is none.
SEAWALL_API const CachePath* cache_named(Exchange& x, std::string_view name);

SEAWALL_API void add_cache_path(const Invocation& in);
SEAWALL_API CacheName parse_cache(const Invocation& in);
SEAWALL_API unsigned parse_cache_methods(const Invocation& in);
SEAWALL_API unsigned parse_use_stale(const Invocation& in);
SEAWALL_API void append_valid(std::vector<CacheValid>& all, const Invocation& in);
SEAWALL_API void append_values(std::vector<Template>& values, const Invocation& in);
// prefix + name, alive for ever.
SEAWALL_API const char* prefixed_name(const char* prefix, const char* name);

template <class C>
std::vector<Directive> cache_directives(const char* prefix) {
  const auto n = [prefix](const char* name) { return prefixed_name(prefix, name); };
  constexpr unsigned w = kHttp | kServer | kLocation;
  return {
      custom<C>(n("_cache_path"), kHttp, 2, kMany, "path keys_zone=name:size [parameter ...]",
                [](C&, const Invocation& in) { add_cache_path(in); }, "Where responses are kept, and the zone that knows them."),
      directive<C, CacheName>(n("_cache"), w, 1, 1, "zone | off", &C::cache, parse_cache, "Keeps responses in this cache.", "off"),
      value<C>(n("_cache_key"), w, &C::cache_key, "Requests with the same one get the same response."),
      list<C, CacheValid>(n("_cache_valid"), w, 1, kMany, "[status ...] time", &C::cache_valid, append_valid,
                          "How long responses are kept that do not say so themselves."),
      directive<C, unsigned>(n("_cache_methods"), w, 1, kMany, "GET | HEAD | POST", &C::cache_methods, parse_cache_methods,
                             "Requests whose responses are kept; GET and HEAD always.", "GET HEAD"),
      number<C>(n("_cache_min_uses"), w, &C::cache_min_uses, "How often a response is asked for before it is kept."),
      size<C>(n("_cache_max_range_offset"), w, &C::cache_max_range_offset,
              "A range that begins behind it is asked of the upstream and not kept."),
      list<C, Template>(n("_cache_bypass"), w, 1, kMany, "value ...", &C::cache_bypass, append_values,
                        "Any that is neither empty nor 0: the upstream is asked, and its response kept."),
      list<C, Template>(n("_no_cache"), w, 1, kMany, "value ...", &C::no_cache, append_values,
                        "Any that is neither empty nor 0: the response is not kept."),
      list<C, Template>(n("_cache_purge"), w, 1, kMany, "value ...", &C::cache_purge, append_values,
                        "Any that is neither empty nor 0: the request removes the response of its key: 204, or 404."),
      directive<C, unsigned>(n("_cache_use_stale"), w, 1, kMany, "error | timeout | updating | http_500 | ... | off",
                             &C::cache_use_stale, parse_use_stale, "When a response that is too old is sent.", "off"),
      flag<C>(n("_cache_lock"), w, &C::cache_lock, "One request at a time fetches a response; the others wait for it."),
      duration<C>(n("_cache_lock_timeout"), w, &C::cache_lock_timeout, "... so long; then they ask the upstream, and nothing is kept."),
      duration<C>(n("_cache_lock_age"), w, &C::cache_lock_age, "After that another one may fetch it, too."),
      flag<C>(n("_cache_revalidate"), w, &C::cache_revalidate, "Asks whether an old response has changed."),
      flag<C>(n("_cache_background_update"), w, &C::cache_background_update,
              "Fetches a new response after an old one was sent, where that is allowed."),
  };
}

}  // namespace seawall
