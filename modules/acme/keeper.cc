#include "keeper.h"

#include <algorithm>
#include <utility>

#include "answers.h"
#include "schedule.h"
#include "seawall/async/event.h"
#include "seawall/http/date.h"
#include "seawall/log/log.h"

namespace seawall::acme {
namespace {

constexpr std::size_t kAtOnce = 4;               // orders of one CA
constexpr std::chrono::milliseconds kTick{500};  // between two looks at the store and at the clock
constexpr int kPredecessor = 20;  // ticks that the worker before us may need to end its jobs
constexpr std::int64_t kLongestRest = 8 * 24 * 3600;  // that a CA may ask for, and a day

std::string_view without_star(std::string_view name) { return name.starts_with("*.") ? name.substr(2) : name; }

bool share_a_name(const Certificate& one, const Certificate& other) {
  return std::any_of(one.names.begin(), one.names.end(), [&](const std::string& name) {
    return std::any_of(other.names.begin(), other.names.end(),
                       [&](const std::string& has) { return without_star(has) == without_star(name); });
  });
}

}  // namespace

Keeper::Keeper(Loop& loop, const Registry& registry) : registry_(registry) {
  if (loop.number() != 0 || registry.certificates.empty()) return;
  for (const auto& certificate : registry.certificates) {
    auto found =
        std::find_if(groups_.begin(), groups_.end(), [&](const auto& group) { return &group->issuer == certificate->issuer; });
    if (found == groups_.end()) found = groups_.insert(groups_.end(), std::make_unique<Group>(*certificate->issuer));
    (*found)->kept.emplace_back(*certificate);
  }
  show_proofs_of_others(registry);
  for (auto& group : groups_) {
    group->threads = std::make_unique<ThreadPool>(kAtOnce, 1000);
    group->stages = &WorkerLife::ours().join();
    look(*group);
    loop.scope().spawn(tend(*group));
  }
}

Keeper::~Keeper() {
  if (!groups_.empty()) forget_others();
  stop_->set();
  for (auto& group : groups_) group->threads.reset();  // before what its jobs use
}

// The same trouble is said once.
void Keeper::complain(Group& group, const std::string& what) {
  if (std::exchange(group.complaint, what) != what && !what.empty()) log(Level::error, "acme: " + what);
}

void Keeper::give(Kept& kept, const Pair& pair) {
  CertificateFacts facts = CertificateFacts::of(pair.certificate);
  kept.certificate.given->give(pair);
  kept.renew_at = kept.status.renew_at ? kept.status.renew_at
                                       : renewal_time(facts.not_before, facts.not_after, kept.certificate.chance());
  log(Level::notice, "acme: the certificate of \"" + kept.certificate.title() + "\" is in use, by " + facts.issuer +
                         ", until " + http_date(facts.not_after));
  kept.facts = std::move(facts);
}

// Heard once: a wish that cannot be removed (the disk is full) is no reason to ask for ever.
void Keeper::reload_status(Kept& kept) {
  Certificate& certificate = kept.certificate;
  Store& store = certificate.store();
  if (std::string version = store.version(certificate.wish_file()); version != kept.wish_version) {
    kept.wish_version = std::move(version);
    kept.wished = !kept.wish_version.empty();
  }
  if (std::string version = store.version(certificate.status_file()); version != kept.status_version) {
    kept.status_version = std::move(version);
    kept.status = status_of(certificate);
    if (kept.renew_at && kept.status.renew_at) kept.renew_at = kept.status.renew_at;
  }
}

void Keeper::reload_pair(Kept& kept) {
  Certificate& certificate = kept.certificate;
  Store& store = certificate.store();
  std::string version = store.version(certificate.pair_file());
  if (version == kept.pair_version) return;
  if (!version.empty() && !kept.renew_at) kept.renew_at = kept.status.renew_at;  // also of one that cannot be used: its time was decided
  const auto text = store.read(certificate.pair_file());
  const auto pair = text ? parted(*text) : std::nullopt;
  if (pair)
    give(kept, *pair);
  else if (text)
    log(Level::error, "acme: the stored certificate of \"" + certificate.title() + "\" makes no sense and is ignored");
  kept.pair_version = std::move(version);
}

// What has changed in the store, by whomever. A status that cannot be read keeps no certificate from being served.
void Keeper::look(Group& group) {
  std::string version = group.issuer.store->version();
  if (!version.empty() && version == group.version) return;
  group.version = std::move(version);
  for (Kept& kept : group.kept) {
    if (kept.at_work) continue;
    std::string complaint;
    for (const auto part : {&Keeper::reload_status, &Keeper::reload_pair}) {
      try {
        (this->*part)(kept);
      } catch (const std::exception& error) {
        complaint = "acme: what is stored of \"" + kept.certificate.title() + "\" cannot be used: " + error.what();
        group.version.clear();  // it may be for want of descriptors: once more at the next look
      }
    }
    if (std::exchange(kept.complaint, complaint) != complaint && !complaint.empty()) log(Level::error, complaint);
  }
}

void Keeper::take_lock(Group& group) {
  if (group.lock) return;
  try {
    group.lock = group.issuer.store->try_lock();
    group.complaint.clear();
    if (group.lock) {
      group.version.clear();  // what the other has written last
      remove_answers(*group.issuer.store);
    } else if (++group.refusals == kPredecessor)
      log(Level::notice, "acme: another process keeps \"" + group.issuer.state_path + "\", its certificates are used");
  } catch (const AcmeError& error) {
    complain(group, error.what());
  }
}

// Until another worker serves, or this one ends. It lets go of the store when its jobs have ended.
Task<void> Keeper::tend(Group& group) {
  const Errc served = co_await group.stages->serves.wait(Deadline::never(Wait::idle));
  if (served != Errc::ok) co_return;
  Scope& around = co_await current_scope();
  Scope work(&around);
  for (;;) {
    take_lock(group);
    look(group);
    if (group.lock) start_due(group, work);
    const Errc waited = co_await group.stages->retires.wait(Deadline::in(kTick, Wait::idle));
    if (waited != Errc::timed_out) break;
  }
  stop_->set();
  co_await work.join();
  group.lock.reset();
}

// Two proofs of one name at once (two kinds of key, two CAs, a wildcard and what is above it) would take each other's certificate for
// tls-alpn-01, and record, away.
bool Keeper::shares_a_name_at_work(const Kept& kept) const {
  return std::any_of(groups_.begin(), groups_.end(), [&](const auto& group) {
    return std::any_of(group->kept.begin(), group->kept.end(),
                       [&](const Kept& other) { return other.at_work && share_a_name(other.certificate, kept.certificate); });
  });
}

// A date beyond all pauses is of a clock that was wrong.
bool Keeper::is_due(const Group& group, const Kept& kept, std::int64_t now) {
  const std::int64_t farthest = now + std::max<std::int64_t>(group.issuer.last_retry.count() * 5 / 4, kLongestRest);
  return now >= kept.renew_at && (now >= kept.status.next_try || kept.status.next_try > farthest);
}

void Keeper::start_due(Group& group, Scope& work) {
  const std::int64_t now = group.issuer.now();
  for (Kept& kept : group.kept) {
    if (group.at_work >= static_cast<int>(kAtOnce) || now < group.paused_until) return;
    if (kept.at_work || shares_a_name_at_work(kept)) continue;
    if (kept.wished || is_due(group, kept, now))
      work.spawn(renew(group, kept));
    else if (kept.renew_at && now >= kept.status.ask_again)
      work.spawn(ask(group, kept));
  }
}

void Keeper::begin(Group& group, Kept& kept) {
  kept.at_work = true;
  ++group.at_work;
}

void Keeper::end(Group& group, Kept& kept) {
  kept.at_work = false;
  --group.at_work;
  group.version.clear();  // look at what has been written
}

// A job has bounds of its own and is waited for until it ends, or two could be at work for one certificate.
Task<void> Keeper::renew(Group& group, Kept& kept) {
  begin(group, kept);
  kept.wished = false;
  log(Level::info, "acme: asking for a certificate of \"" + kept.certificate.title() + "\"");
  auto job = [&certificate = kept.certificate, &tokens = registry_.tokens, stop = stop_, lock = group.lock] {
    return attempt(certificate, tokens, *stop);
  };
  Result<Attempted> done = co_await offload(*group.threads, std::move(job), Deadline::never(Wait::upstream_read));
  if (done) {
    kept.status = done->status;
    if (done->issuer_pause > 0) group.paused_until = group.issuer.now() + done->issuer_pause;
  } else if (done.error() != Errc::cancelled) {
    kept.status.next_try = group.issuer.now() + group.issuer.first_retry.count();
    log(Level::error, "acme: asking for a certificate of \"" + kept.certificate.title() + "\" " + describe(done.error()));
  }
  end(group, kept);
}

Task<void> Keeper::ask(Group& group, Kept& kept) {
  begin(group, kept);
  auto job = [&certificate = kept.certificate, facts = kept.facts, stop = stop_, lock = group.lock] {
    return ask_renewal_time(certificate, facts, *stop);
  };
  Result<Status> status = co_await offload(*group.threads, std::move(job), Deadline::never(Wait::upstream_read));
  if (status) {
    kept.status = *status;
    if (status->renew_at) kept.renew_at = status->renew_at;
  } else {
    kept.status.ask_again = group.issuer.now() + group.issuer.first_retry.count();
  }
  end(group, kept);
}

}  // namespace seawall::acme
