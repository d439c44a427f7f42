// CertificateCache: the pairs that ssl_certificate with variables has led to lately (ssl_certificate_cache). Any thread.
#pragma once
#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "seawall/base/export.h"
#include "seawall/tls/certificate_use.h"

namespace seawall {

class SEAWALL_API CertificateCache {
 public:
  // At most `max` pairs; one is read again when it is `valid` old, and let go when nobody has asked for it for `inactive`.
  CertificateCache(std::size_t max, std::chrono::milliseconds inactive, std::chrono::milliseconds valid)
      : max_(max), inactive_(inactive), valid_(valid) {}

  // TlsError: it cannot be loaded, and is not remembered. `now` of Loop::now().
  std::shared_ptr<const LoadedPair> get(const std::string& certificate, const std::string& key,
                                        const std::vector<std::string>& passwords, std::int64_t now);

 private:
  using Name = std::pair<std::string, std::string>;
  struct Entry {
    Name name;
    std::shared_ptr<const LoadedPair> pair;
    std::int64_t loaded, used;
  };
  std::shared_ptr<const LoadedPair> find(const Name& name, std::int64_t now);
  void let_go(std::int64_t now);

  const std::size_t max_;
  const std::chrono::nanoseconds inactive_, valid_;
  std::mutex mutex_;
  std::list<Entry> entries_;  // the one used last in front
  std::map<Name, std::list<Entry>::iterator> by_name_;
};

}  // namespace seawall
