// H2Pool: the HTTP/2 connections to a group's peers that one loop has, each of which serves many requests at a time. As many of
// them as `keepalive` says stay open without any. One loop.
#pragma once
#include <memory>

#include "seawall/upstream/group.h"
#include "seawall/upstream/h2_upstream.h"

namespace seawall {

class H2Pool {
 public:
  H2Pool(Loop& loop, const Group& group) : loop_(loop), group_(group) {}
  ~H2Pool();
  H2Pool(const H2Pool&) = delete;

  // One that takes another request; null: none does.
  std::shared_ptr<H2Upstream> find(const H2Key& key);
  // A connection that stands (TLS, too): from now on others may share it.
  std::shared_ptr<H2Upstream> open(std::unique_ptr<Stream> stream, const H2Key& key);

  // Somebody is opening a connection. When that has come to its end, well or not, those who wait for it look again.
  class Opening;
  bool is_opening(const H2Key& key);
  // ok, timed_out, cancelled.
  Task<Errc> opened(const H2Key& key, Deadline deadline);

 private:
  friend class H2Upstream;
  class Waiting;
  void became_idle(H2Upstream& connection);

  Loop& loop_;
  const Group& group_;
  List<H2Upstream> all_;  // opened last first
  List<Opening> openings_;
  List<Waiting> waiting_;
};

// As long as it lives.
class H2Pool::Opening final : public ListNode {
 public:
  Opening(H2Pool& pool, const H2Key& key);
  ~Opening();

 private:
  friend class H2Pool;
  H2Pool& pool_;
  const H2Key key_;
};

}  // namespace seawall
