#include "seawall/tls/certificate_cache.h"

namespace seawall {

void CertificateCache::let_go(std::int64_t now) {
  while (!entries_.empty() && (entries_.size() > max_ || now - entries_.back().used > inactive_.count())) {
    by_name_.erase(entries_.back().name);
    entries_.pop_back();
  }
}

std::shared_ptr<const LoadedPair> CertificateCache::find(const Name& name, std::int64_t now) {
  const std::lock_guard lock(mutex_);
  let_go(now);
  const auto known = by_name_.find(name);
  if (known == by_name_.end() || now - known->second->loaded > valid_.count()) return nullptr;
  entries_.splice(entries_.begin(), entries_, known->second);
  known->second->used = now;
  return known->second->pair;
}

std::shared_ptr<const LoadedPair> CertificateCache::get(const std::string& certificate, const std::string& key,
                                                        const std::vector<std::string>& passwords, std::int64_t now) {
  const Name name(certificate, key);
  if (auto known = find(name, now)) return known;
  auto loaded = LoadedPair::load(certificate, key, passwords);  // outside the lock: other loops go on
  const std::lock_guard lock(mutex_);
  if (const auto known = by_name_.find(name); known != by_name_.end()) {
    entries_.erase(known->second);
    by_name_.erase(known);
  }
  entries_.push_front({name, loaded, now, now});
  by_name_[name] = entries_.begin();
  let_go(now);
  return loaded;
}

}  // namespace seawall
