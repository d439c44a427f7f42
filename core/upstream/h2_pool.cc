#include "seawall/upstream/h2_pool.h"

#include "seawall/net/loop.h"

namespace seawall {

class H2Pool::Waiting final : public ListNode {
 public:
  explicit Waiting(const H2Key& key) : key(key) {}
  const H2Key& key;
  Event done;
};

H2Pool::~H2Pool() {
  while (H2Upstream* connection = all_.front()) connection->retire();
}

std::shared_ptr<H2Upstream> H2Pool::find(const H2Key& key) {
  for (H2Upstream* connection = all_.front(); connection; connection = all_.next(*connection))
    if (connection->use().key == key && connection->has_room()) return connection->shared_from_this();
  return nullptr;
}

H2Pool::Opening::Opening(H2Pool& pool, const H2Key& key) : pool_(pool), key_(key) { pool_.openings_.push_back(*this); }

H2Pool::Opening::~Opening() {
  for (Waiting* one = pool_.waiting_.front(); one; one = pool_.waiting_.next(*one))
    if (one->key == key_) one->done.set();
}

bool H2Pool::is_opening(const H2Key& key) {
  for (Opening* one = openings_.front(); one; one = openings_.next(*one))
    if (one->key_ == key) return true;
  return false;
}

Task<Errc> H2Pool::opened(const H2Key& key, Deadline deadline) {
  Waiting waiting(key);
  waiting_.push_back(waiting);
  co_return co_await waiting.done.wait(deadline);
}

std::shared_ptr<H2Upstream> H2Pool::open(std::unique_ptr<Stream> stream, const H2Key& key) {
  H2UpstreamUse use;
  use.key = key;
  use.most_requests = static_cast<std::uint64_t>(group_.keepalive_requests);
  use.longest_life = group_.keepalive_time;
  use.longest_idle = group_.keepalive_timeout;
  auto connection = std::make_shared<H2Upstream>(loop_, std::move(stream), std::move(use), this);
  all_.push_front(*connection);
  loop_.scope().spawn(H2Upstream::run(connection));
  return connection;
}

// It may stay, or takes the place of the one that has been idle longest.
void H2Pool::became_idle(H2Upstream& connection) {
  if (group_.keepalive <= 0) return connection.retire();
  std::int64_t idle = 0;
  H2Upstream* oldest = &connection;
  for (H2Upstream* one = all_.front(); one; one = all_.next(*one)) {
    if (one->active() > 0) continue;
    ++idle;
    if (one->idle_since() < oldest->idle_since()) oldest = one;
  }
  if (idle > group_.keepalive) oldest->retire();
}

}  // namespace seawall
