// Pools: connections of cosockets that nobody uses for now, by pool. Where connect() has said `backlog` a pool also bounds how many
// connections there are, idle or in use, and whoever comes when all are taken waits for one. One loop.
#pragma once
#include <list>
#include <map>
#include <memory>
#include <string>

#include "seawall/async/event.h"
#include "seawall/net/stream.h"

namespace seawall {
class Loop;
}

namespace seawall::lua {

class Pool;

// One of the connections that a bounded pool may have: being made, in use or idle. Its end lets the next one in.
class Place {
 public:
  Place() = default;
  explicit Place(std::shared_ptr<Pool> pool);
  Place(Place&&) = default;
  Place& operator=(Place&& other);
  ~Place() { leave(); }
  void leave();

 private:
  std::shared_ptr<Pool> pool_;
};

class Kept {
 public:
  std::unique_ptr<Stream> stream;
  std::int64_t reused = 0;
  std::string host;
  Place place;
};

// Who waits in a full pool's queue, for as long as it lives: for a connection that another gives back, or for a place to make one.
class Turn {
 public:
  explicit Turn(std::shared_ptr<Pool> pool);
  ~Turn();
  auto wait(Deadline deadline) { return came_.wait(deadline); }
  void leave();  // the queue; what has come already goes to the next
  Kept kept;  // after the wait: without a stream a place only

 private:
  friend class Pool;
  void give(Kept with);
  const std::shared_ptr<Pool> pool_;
  Event came_;
};

class Pool : public std::enable_shared_from_this<Pool> {
 public:
  Pool(std::int64_t size, std::int64_t backlog) : size_(size), backlog_(backlog) {}
  bool bounded() const { return backlog_ >= 0; }
  bool has_room() const { return open_ < size_; }
  bool may_wait() const { return static_cast<std::int64_t>(waiting_.size()) < backlog_; }
  std::int64_t size() const { return size_; }

 private:
  friend class Place;
  friend class Turn;
  friend class Pools;
  class Idle {
   public:
    Kept kept;
    bool gone = false;  // taken, or thrown away
  };
  using IdlePtr = std::shared_ptr<Idle>;
  bool hand_on(Kept& kept);  // to the first that waits
  bool unused() const { return idle_.empty() && waiting_.empty() && open_ == 0; }

  const std::int64_t size_, backlog_;  // -1: any number of connections
  std::int64_t open_ = 0;              // of a bounded pool
  std::list<IdlePtr> idle_;
  std::list<Turn*> waiting_;
};

class Pools {
 public:
  explicit Pools(Loop& loop) : loop_(loop) {}
  // One that is idle; without a stream where there is none.
  Kept take(const std::string& pool);
  // The pool where it is bounded, or is to be made so (backlog not -1). An existing one stays as it is.
  std::shared_ptr<Pool> bounded(const std::string& pool, std::int64_t size, std::int64_t backlog);
  // `time` ms, 0: for ever. `size`: of the pool when it is made by this.
  void keep(const std::string& pool, Kept kept, std::int64_t size, std::int64_t time);

 private:
  using All = std::map<std::string, std::shared_ptr<Pool>>;
  static Task<void> watch(std::shared_ptr<All> all, std::string name, Pool::IdlePtr idle, std::int64_t time);
  static void wake(Pool::Idle& idle);
  std::shared_ptr<Pool> make(const std::string& name, std::int64_t size, std::int64_t backlog);
  Loop& loop_;
  std::size_t pools_made_ = 0;
  std::shared_ptr<All> all_ = std::make_shared<All>();  // and of the tasks that watch
};

}  // namespace seawall::lua
