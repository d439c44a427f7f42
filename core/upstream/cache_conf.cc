#include "seawall/upstream/cache_conf.h"

#include <algorithm>

#include "seawall/base/text.h"
#include "seawall/config/binder.h"
#include "seawall/server/exchange.h"
#include "seawall/upstream/forward_conf.h"
#include "seawall/upstream/upstream_module.h"

namespace seawall {
namespace {

unsigned bit_of(Method method) { return 1u << static_cast<unsigned>(method); }

int parse_status(const std::string& word) {
  const auto status = parse_decimal(word);
  if (!status || *status < 100 || *status > 599) throw ConfigError("invalid status \"" + word + "\"");
  return static_cast<int>(*status);
}

}  // namespace

void CacheConf::finish_cache(const char* prefix, bool has_default_key, const Binder& binder) const {
  if (cache->off) return;
  const std::string name(prefix);
  if (cache->zone && !cache->zone->data)
    throw ConfigError("\"" + name + "_cache\" zone \"" + cache->zone->name + "\" is unknown", cache.place());
  if (!has_default_key && cache_key.is_default() && binder.options().warn)
    binder.options().warn("no \"" + name + "_cache_key\" for \"" + name + "_cache\": nothing is kept");
}

bool CacheConf::caches_method(Method method) const {
  return method == Method::get || method == Method::head || (*cache_methods & bit_of(method));
}

std::int64_t CacheConf::valid_for(int status) const {
  for (const CacheValid& one : *cache_valid)
    if (one.status == 0 || one.status == status) return one.seconds;
  return 0;
}

bool holds_any(const std::vector<Template>& values, Exchange& x) {
  return std::any_of(values.begin(), values.end(), [&](const Template& value) {
    const std::string text = value.eval(x);
    return !text.empty() && text != "0";
  });
}

const CachePath* cache_named(Exchange& x, std::string_view name) {
  for (const auto& path : LoopUpstreams::of(x.loop).conf().caches)
    if (path->zone->name == name) return path.get();
  return nullptr;
}

void add_cache_path(const Invocation& in) {
  Settings* main = &in.settings;
  while (main->outer) main = main->outer;
  auto& conf = *static_cast<UpstreamConf*>(in.binder.own(*main, module_number<UpstreamModule>));
  conf.caches.push_back(CachePath::declare(in));
}

CacheName parse_cache(const Invocation& in) {
  CacheName cache;
  if (in.arg(0) == "off") return cache;
  cache.off = false;
  cache.name = in.compile(in.arg(0));
  if (cache.name.is_literal()) cache.zone = &in.binder.zones().get(in.arg(0), 0, CachePath::kUse, in.node.place);
  return cache;
}

unsigned parse_cache_methods(const Invocation& in) {
  unsigned bits = 0;
  for (const std::string& word : in.args()) {
    if (word != "GET" && word != "HEAD" && word != "POST") throw ConfigError("invalid value \"" + word + "\"");
    bits |= bit_of(method_of(word));
  }
  return bits;
}

unsigned parse_use_stale(const Invocation& in) {
  unsigned bits = 0;
  for (const std::string& word : in.args()) {
    const unsigned bit = stale_bit(word);
    if (bit == 0) throw ConfigError("invalid value \"" + word + "\"");
    if (bits & bit) in.warn("duplicate value \"" + word + "\"");
    bits |= bit;
  }
  if (bits & next_upstream::off) return 0;
  return bits & next_upstream::error ? bits | next_upstream::no_live : bits;
}

void append_valid(std::vector<CacheValid>& all, const Invocation& in) {
  const std::string& last = in.args().back();
  const auto time = time_of(last);
  if (!time) throw ConfigError("invalid time value \"" + last + "\"");
  const std::int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(*time).count();
  const auto add = [&](int status) {
    CacheValid& valid = all.emplace_back();
    valid.status = status;
    valid.seconds = seconds;
  };
  if (in.args().size() == 1)
    for (const int status : {200, 301, 302}) add(status);
  for (std::size_t i = 0; i + 1 < in.args().size(); ++i) add(in.arg(i) == "any" ? 0 : parse_status(in.arg(i)));
}

void append_values(std::vector<Template>& values, const Invocation& in) {
  for (const std::string& word : in.args()) values.push_back(in.compile(word));
}

}  // namespace seawall
