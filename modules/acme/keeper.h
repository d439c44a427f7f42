// Keeper: keeps the certificates of a configuration, on the worker's first loop: gives TLS what the store has, renews what is
// due, and tells the store's other users apart by its lock. Asking a CA happens on threads beside the loop. Other loops have
// none.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "attempt.h"
#include "registry.h"
#include "seawall/net/offload.h"
#include "seawall/server/worker_life.h"

namespace seawall::acme {

class Keeper {
 public:
  // Before the loop accepts: what the store has holds from the first connection on.
  Keeper(Loop& loop, const Registry& registry);
  ~Keeper();

 private:
  // A certificate as the loop sees it.
  struct Kept {
    explicit Kept(Certificate& certificate) : certificate(certificate) {}
    Certificate& certificate;
    Status status;
    std::string pair_version, status_version, wish_version, complaint;
    CertificateFacts facts;  // of the pair
    std::int64_t renew_at = 0;  // 0: there is none yet
    bool wished = false, at_work = false;
  };
  // Those of one store.
  struct Group {
    explicit Group(const Issuer& issuer) : issuer(issuer) {}
    const Issuer& issuer;
    std::vector<Kept> kept;
    std::shared_ptr<void> lock;  // ours to write; jobs hold it as well
    std::string version, complaint;
    std::int64_t paused_until = 0;
    WorkerLife::Stages* stages = nullptr;
    int at_work = 0, refusals = 0;
    std::unique_ptr<ThreadPool> threads;  // a CA that hangs holds up nobody else's certificates
  };

  Task<void> tend(Group& group);
  void look(Group& group);
  void take_lock(Group& group);
  void reload_status(Kept& kept);
  void reload_pair(Kept& kept);
  void give(Kept& kept, const Pair& pair);
  void start_due(Group& group, Scope& work);
  Task<void> renew(Group& group, Kept& kept);
  Task<void> ask(Group& group, Kept& kept);
  void begin(Group& group, Kept& kept);
  void end(Group& group, Kept& kept);
  bool shares_a_name_at_work(const Kept& kept) const;
  static bool is_due(const Group& group, const Kept& kept, std::int64_t now);
  void complain(Group& group, const std::string& what);

  const Registry& registry_;
  std::vector<std::unique_ptr<Group>> groups_;
  std::shared_ptr<Stop> stop_ = std::make_shared<Stop>();
};

}  // namespace seawall::acme
