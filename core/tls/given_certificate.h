// GivenCertificate: a certificate that somebody brings while the server runs (ACME), for all TLS contexts that are made with it. Made
// at start-up, by whoever says that a server has no files (TlsConf::given); lives as long as the configuration.
//
//   auto given = std::make_shared<GivenCertificate>();   // refuses handshakes until it has one
//   given->give(pair);                                   // what new connections get from now on
#pragma once
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "seawall/base/export.h"

namespace seawall {

class TlsContext;

class SEAWALL_API GivenCertificate {
 public:
  class Pair {
   public:
    std::string certificate, key;  // PEM; the certificate with its chain, leaf first
  };
  // Any thread. Nothing: there is none yet, and handshakes are to be refused.
  std::optional<Pair> pair() const;
  bool is_there() const { return is_there_; }
  // Makes it hold in every context; connections that are open keep what they have. TlsError: it makes no sense, and all is as it
  // was. One thread at a time, in the process that serves.
  void give(Pair pair);

 private:
  friend class TlsContext;
  void add(const std::shared_ptr<TlsContext>& context);

  mutable std::mutex mutex_;
  std::optional<Pair> pair_;
  std::atomic<bool> is_there_ = false;
  std::vector<std::weak_ptr<TlsContext>> contexts_;
};

}  // namespace seawall
