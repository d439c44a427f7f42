// LoopUpstreams: what one loop knows of every group of the configuration, and the idle connections it keeps. One loop.
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "seawall/cache/cache_keeper.h"
#include "seawall/tls/client_stream.h"
#include "seawall/upstream/balancer.h"
#include "seawall/upstream/h2_pool.h"
#include "seawall/upstream/kept_names.h"
#include "seawall/upstream/pool.h"

namespace seawall {

class UpstreamConf;
class Vhost;

// One group as one loop has it.
class LoopGroup {
 public:
  LoopGroup(Loop& loop, const Group& group) : pool(loop, group), h2(loop, group), own_(group.common ? nullptr : new Balancer(group)) {
    balancer = own_ ? own_.get() : group.common.get();
  }
  Balancer* balancer;
  Pool pool;
  H2Pool h2;
  std::map<std::string, SessionPtr> sessions;  // the last of each peer and name
  bool has_scout = false;  // of the requests that wait for a server, one tries them

 private:
  std::unique_ptr<Balancer> own_;
};

class LoopUpstreams {
 public:
  LoopUpstreams(Loop& loop, const UpstreamConf& conf);
  static LoopUpstreams& of(Loop& loop);
  LoopGroup& group(const Group& group) { return *groups_[static_cast<std::size_t>(group.number)]; }
  const UpstreamConf& conf() const { return conf_; }
  // On the first loop: asks the servers whether they are well (health_check).
  void start_checks(Loop& loop, const std::deque<Vhost>& vhosts);
  ThreadPool checks{1, 1000};  // of whole files in a cache: one after the other

 private:
  const UpstreamConf& conf_;
  std::vector<std::unique_ptr<LoopGroup>> groups_;
  CacheKeepers keepers_;
  KeptNames names_;
};

}  // namespace seawall
