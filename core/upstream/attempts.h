// What is kept of a request's attempts at upstream servers, for the variables $upstream_*. One loop; lives with the exchange.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "seawall/base/export.h"
#include "seawall/http/headers.h"
#include "seawall/upstream/protocol.h"

namespace seawall {

class Exchange;
class PeerState;

class Attempt {
 public:
  std::string peer;      // empty: what stands between two handlers of one request
  int status = 0;        // what the upstream said, or what its failure becomes; 0: none yet
  std::int64_t started = 0;                                  // ns
  std::int64_t connect_time = -1, header_time = -1, response_time = -1;  // ns since started; -1: never
  std::uint64_t bytes_received = 0, bytes_sent = 0, response_length = 0;
};

class SEAWALL_API Attempts : public Pooled {
 public:
  static Attempts& of(Exchange& x);
  std::vector<Attempt, PoolAllocator<Attempt>> all;
  PeerState* only = nullptr;  // a health check: the one to ask, which is nobody's else; null: whom the group chooses
  UpstreamHead head;       // of the last response
  bool answers = false;    // the response is the last attempt's
  Headers trailers;
  const char* cache_status = nullptr;  // $upstream_cache_status; null: no cache was asked
  std::string cache_last_modified, cache_etag;  // what a response in the cache was compared by
  std::string host, port;  // $proxy_host, $proxy_port
};

}  // namespace seawall
