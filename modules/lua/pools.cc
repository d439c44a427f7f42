#include "pools.h"

#include <utility>

#include "seawall/log/log.h"
#include "seawall/net/loop.h"

namespace seawall::lua {
namespace {

constexpr std::size_t kSweep = 64;  // so many new pools cost one look for empty ones

void say(const std::string& line) {
  if (logs_at(main_log(), Level::debug)) log(Level::debug, line);
}

}  // namespace

Place::Place(std::shared_ptr<Pool> pool) : pool_(std::move(pool)) { ++pool_->open_; }

Place& Place::operator=(Place&& other) {
  leave();
  pool_ = std::move(other.pool_);
  return *this;
}

void Place::leave() {
  const std::shared_ptr<Pool> pool = std::move(pool_);
  if (!pool) return;
  --pool->open_;
  if (pool->waiting_.empty() || !pool->has_room()) return;
  Kept place_only;
  place_only.place = Place(pool);
  pool->hand_on(place_only);
}

Turn::Turn(std::shared_ptr<Pool> pool) : pool_(std::move(pool)) { pool_->waiting_.push_back(this); }
Turn::~Turn() { pool_->waiting_.remove(this); }

void Turn::leave() {
  pool_->waiting_.remove(this);
  kept = Kept();
}

void Turn::give(Kept with) {
  kept = std::move(with);
  came_.set();
}

bool Pool::hand_on(Kept& kept) {
  if (waiting_.empty()) return false;
  Turn* const first = waiting_.front();
  waiting_.pop_front();
  first->give(std::move(kept));
  return true;
}

void Pools::wake(Pool::Idle& idle) {
  idle.gone = true;
  idle.kept.stream->socket().interrupt(Socket::reading, Errc::cancelled);
}

Kept Pools::take(const std::string& name) {
  const auto found = all_->find(name);
  Kept kept;
  if (found == all_->end()) return kept;
  // One that this leaves empty stays for a while: the connection goes back to it.
  auto& all = found->second->idle_;
  while (!all.empty() && !kept.stream) {
    const Pool::IdlePtr idle = all.back();
    all.pop_back();
    wake(*idle);
    // What has something to say unasked, or has ended, is of no use.
    char byte;
    if (idle->kept.stream->socket().try_peek({&byte, 1}).kind == Io::want_read) kept = std::move(idle->kept);
    else idle->kept.place.leave();
  }
  return kept;
}

std::shared_ptr<Pool> Pools::bounded(const std::string& name, std::int64_t size, std::int64_t backlog) {
  const auto found = all_->find(name);
  if (found != all_->end() && !found->second->unused()) return found->second->bounded() ? found->second : nullptr;
  if (found != all_->end() && (found->second->bounded() || backlog >= 0)) all_->erase(found);
  return backlog >= 0 ? make(name, size, backlog) : nullptr;
}

std::shared_ptr<Pool> Pools::make(const std::string& name, std::int64_t size, std::int64_t backlog) {
  if (++pools_made_ % kSweep == 0) std::erase_if(*all_, [](const auto& of) { return of.second->unused(); });
  say("lua tcp socket keepalive create connection pool for key \"" + name + "\"");
  say("lua tcp socket connection pool size: " + std::to_string(size) + ", backlog: " + std::to_string(backlog));
  return (*all_)[name] = std::make_shared<Pool>(size, backlog);
}

void Pools::keep(const std::string& name, Kept kept, std::int64_t size, std::int64_t time) {
  const auto found = all_->find(name);
  const std::shared_ptr<Pool> pool = found == all_->end() ? make(name, size, -1) : found->second;
  if (pool->hand_on(kept)) return;
  if (pool->bounded()) size = pool->size();
  auto& all = pool->idle_;
  while (!all.empty() && static_cast<std::int64_t>(all.size()) >= size) {
    const Pool::IdlePtr oldest = all.front();
    all.pop_front();
    wake(*oldest);
    oldest->kept.place.leave();
  }
  auto idle = std::make_shared<Pool::Idle>();
  idle->kept = std::move(kept);
  all.push_back(idle);
  loop_.scope().spawn(watch(all_, name, idle, time));
}

// Until it is taken, its time is over, or the peer does anything.
Task<void> Pools::watch(std::shared_ptr<All> all, std::string name, Pool::IdlePtr idle, std::int64_t time) {
  const Deadline deadline = time > 0 ? Deadline::in(Milliseconds(time), Wait::idle) : Deadline::never(Wait::idle);
  char byte;
  if (idle->kept.stream->socket().may_read()) idle->kept.stream->socket().try_peek({&byte, 1});
  const Errc waited = co_await idle->kept.stream->socket().wait(Socket::reading, deadline);
  if (idle->gone) co_return;
  if (waited == Errc::timed_out) say("lua tcp socket keepalive max idle timeout");
  say("lua tcp socket keepalive close handler: fd:" + std::to_string(idle->kept.stream->socket().fd()));
  const auto pool = all->find(name);
  pool->second->idle_.remove(idle);
  idle->kept = Kept();
  if (!pool->second->unused()) co_return;
  say("lua tcp socket keepalive: free connection pool for \"" + name + "\"");
  all->erase(pool);
}

}  // namespace seawall::lua
