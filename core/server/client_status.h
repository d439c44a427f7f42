// ssl_ocsp: whether a client's certificate has been revoked, asked of its issuer's responder between the handshake and the first
// request. Nothing but this connection waits for it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "seawall/async/task.h"
#include "seawall/tls/ocsp_query.h"

namespace seawall {

class Connection;
class TlsStream;

// ssl_ocsp_cache: what responders have said, of one name for all servers that name it. Any thread.
class OcspCache {
 public:
  explicit OcspCache(std::size_t most) : most_(most) {}
  std::optional<CertificateStatus> find(const std::string& key, std::int64_t now);
  void keep(const std::string& key, const OcspAnswer& answer);

 private:
  struct Entry {
    std::string key;
    OcspAnswer answer;
  };
  const std::size_t most_;  // entries
  std::mutex mutex_;
  std::list<Entry> entries_;  // the one used last in front
  std::map<std::string, std::list<Entry>::iterator> by_key_;
};

// Tells the stream what keeps its client out (TlsStream::refuse_client): "certificate revoked" and the like, nginx's words.
Task<void> ask_client_status(Connection& c, TlsStream& tls);

}  // namespace seawall
