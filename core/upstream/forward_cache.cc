// A request whose response may be in a cache, or may be kept in one: what is sent from there, what is asked of the upstream instead,
// and when a response that is too old does after all.
#include <algorithm>
#include <ctime>
#include <utility>

#include "seawall/http/date.h"
#include "seawall/net/loop.h"
#include "seawall/upstream/forwarding.h"
#include "seawall/upstream/upstream_wait.h"

namespace seawall {
namespace {

UpstreamHead head_of(const CacheEntry& entry) {
  UpstreamHead head;
  head.status = static_cast<int>(entry.head.status);
  head.storage = Ref<Owner>(entry.storage);
  head.length = entry.head.body_size;
  std::string_view rest = entry.fields;
  while (!rest.empty()) {
    const auto name_end = rest.find('\0'), end = rest.find('\0', name_end + 1);
    head.headers.add_view(rest.substr(0, name_end), rest.substr(name_end + 1, end - name_end - 1));
    rest.remove_prefix(end + 1);
  }
  return head;
}

// RFC 9110 9.2.1: those that ask for nothing but an answer.
bool may_change(Method method) {
  switch (method) {
    case Method::get: case Method::head: case Method::options: case Method::trace: case Method::propfind: case Method::query: return false;
    default: return true;
  }
}

}  // namespace

// The cache that the settings name for this request; null: none. A name that is nobody's is an error, and said.
const CachePath* Forwarding::choose_cache(bool& failed) {
  failed = false;
  if (!conf_.caches()) return nullptr;
  if (conf_.cache->zone) return static_cast<const CachePath*>(conf_.cache->zone->data.get());
  const std::string name = conf_.cache->name.eval(x_);
  if (name.empty() || name == "off") return nullptr;
  const CachePath* const path = cache_named(x_, name);
  failed = !path;
  if (failed) x_.log(Level::error, "cache \"" + name + "\" not found");
  return path;
}

// proxy's own, as nginx's: whom and what it asks for; the others have none.
std::string Forwarding::cache_key() {
  if (!conf_.cache_key.is_default()) return conf_.cache_key->eval(x_);
  if (to_.key_host.empty()) return {};
  return std::string(protocol_.scheme()) + to_.key_host + protocol_.uri();
}

Task<bool> Forwarding::ask_cache(Outcome& outcome) {
  if (!conf_.caches_method(x_.method) && !holds_any(*conf_.cache_purge, x_)) co_return false;
  bool failed = false;
  const CachePath* const path = choose_cache(failed);
  if (failed) outcome = Response(500);
  if (failed || !path) co_return failed;
  std::string key = cache_key();
  if (key.empty() && conf_.cache_key.is_default()) co_return false;
  cache_ = std::make_unique<CacheUse>(x_, conf_, *path, std::move(key));
  if (holds_any(*conf_.cache_purge, x_)) {
    outcome = Response(cache_->purge() ? 204 : 404);
    co_return true;
  }
  protocol_.for_cache.as_get = *conf_.cache_convert_head && x_.method == Method::head;
  may_keep_ = asked_cache_ = true;
  if (holds_any(*conf_.cache_bypass, x_)) {
    attempts_.cache_status = "BYPASS";
  } else {
    attempts_.cache_status = "MISS";
    const CacheUse::Found found = co_await cache_->open();
    if (follow(found, outcome)) co_return true;
  }
  const Field* const range = x_.request.headers.find(FieldId::range);
  if (range && *conf_.cache_max_range_offset != INT64_MAX && begins_behind(range->value, *conf_.cache_max_range_offset)) may_keep_ = false;
  // Read while the client may be slow, or not at all.
  if (!*conf_.buffering || (x_.method == Method::head && *conf_.cache_convert_head && !protocol_.can_ask_as_get())) may_keep_ = false;
  if (may_keep_) ask_for_all();
  else cache_->give_up();
  co_return false;
}

// True: what was found is the answer.
bool Forwarding::follow(CacheUse::Found found, Outcome& outcome) {
  const bool while_updating = (*conf_.cache_use_stale & next_upstream::updating) || cache_->may_be_sent_while_updating();
  switch (found) {
    case CacheUse::Found::fresh: answer_from_cache("HIT", outcome); return true;
    case CacheUse::Found::updating:
      if (!while_updating) break;
      answer_from_cache("UPDATING", outcome);
      return true;
    case CacheUse::Found::stale:
      if (!while_updating || !*conf_.cache_background_update || x_.body.present()) break;
      update_in_background(outcome);
      return true;
    case CacheUse::Found::scarce: may_keep_ = false; return false;
    case CacheUse::Found::missing: return false;
    case CacheUse::Found::error:
      attempts_.cache_status = "HIT";
      outcome = Response(cache_->error());
      return true;
  }
  attempts_.cache_status = "EXPIRED";
  has_stale_ = true;
  return false;
}

// The whole response, whatever part or condition the client has asked for: that is judged here.
void Forwarding::ask_for_all() {
  protocol_.for_cache.whole = true;
  asked_for_all_ = true;
  if (!has_stale_ || !*conf_.cache_revalidate) return;
  protocol_.for_cache.modified_since = attempts_.cache_last_modified = cache_->modified_since();
  protocol_.for_cache.none_match = attempts_.cache_etag = cache_->none_match();
}

// How old it is now (RFC 9111 5.1), since it was made or found unchanged.
void Forwarding::add_age(Response& response, const CacheEntry& entry) {
  if (conf_.hides("Age")) return;
  response.headers.set("Age", std::to_string(std::max<std::int64_t>(0, std::time(nullptr) - entry.head.date)));
}

void Forwarding::answer_from_cache(const char* status, Outcome& outcome) {
  const CacheEntry& entry = *cache_->entry();
  attempts_.cache_status = status;
  attempts_.head = head_of(entry);
  take_rate();
  take_charset();
  Response& response = outcome.emplace<Response>(attempts_.head.status);
  response.pinned = attempts_.head.storage;
  from_cache_ = true;
  copy_fields(response);
  add_age(response, entry);
  response.accept_ranges = *conf_.force_ranges || attempts_.head.headers.has(FieldId::accept_ranges);
  response.body = entry.body();
}

// The client gets what there is, and another forwarding of the same request asks for something newer.
void Forwarding::update_in_background(Outcome& outcome) {
  answer_from_cache("STALE", outcome);
  auto update = std::make_shared<Forwarding>(x_, conf_, std::move(to_), std::move(cache_));
  x_.background.spawn(update->update(update));
}

Task<void> Forwarding::update(std::shared_ptr<Forwarding> self) {
  Forwarding& f = *self;
  f.attempts_.cache_status = "EXPIRED";
  f.has_stale_ = f.may_keep_ = true;
  f.protocol_.for_cache.as_get = *f.conf_.cache_convert_head && f.x_.method == Method::head;
  f.ask_for_all();
  Outcome outcome{Next{}};  // nobody's
  co_await f.ask_upstream(outcome);
  if (f.fills_cache()) co_await f.fill_cache(self);
}

// Of a request that failed, or whose answer is one of the failures that use_stale names.
bool Forwarding::use_stale(unsigned why, bool answered, Outcome& outcome) {
  if (!has_stale_) return false;
  const bool allowed = (*conf_.cache_use_stale & why) || (!answered && cache_->may_be_sent_on_error());
  if (!allowed) return false;
  has_stale_ = false;
  leave_upstream();
  answer_from_cache("STALE", outcome);
  cache_->give_up();
  return true;
}

bool Forwarding::use_unchanged(Outcome& outcome) {
  if (!has_stale_ || !*conf_.cache_revalidate || attempts_.head.status != 304 || !asked_for_all_) return false;
  if (protocol_.for_cache.modified_since.empty() && protocol_.for_cache.none_match.empty()) return false;
  has_stale_ = false;
  const UpstreamHead unchanged = std::move(attempts_.head);
  attempts_.head = UpstreamHead();
  leave_upstream();
  cache_->find_unchanged(unchanged);
  answer_from_cache("REVALIDATED", outcome);
  cache_->give_up();
  return true;
}

// The response is not passed on: what has come of it is read, so that the connection may serve another.
void Forwarding::leave_upstream() {
  if (connection_) take_apart();
  if (connection_) end_attempt(Tried::done);
  x_.upstream.clear();
}

void Forwarding::begin_to_keep() {
  if (!cache_ || from_cache_) return;
  if (may_keep_ && !switched_ && buffering_ && !holds_any(*conf_.no_cache, x_) && cache_->keep(attempts_.head)) {
    if (!own_attempts_) x_.outlives_client = true;  // somebody else may want it
    return;
  }
  cache_->give_up();
  if (!own_attempts_) x_.outlives_client = *conf_.ignore_client_abort;
}

// A request that may have changed what others have asked for lets go of it (RFC 9111 4.4).
void Forwarding::forget_changed() {
  const int status = attempts_.head.status;
  if (cache_ || attempts_.only || !conf_.caches() || !may_change(x_.method) || status < 200 || status >= 400) return;
  bool failed = false;
  const CachePath* const path = choose_cache(failed);
  const std::string key = path ? cache_key() : std::string();
  if (!key.empty()) CacheIndex(*path).purge(CacheHash({key}));
}

void Forwarding::begin_to_store() {
  if (!conf_.store->on || attempts_.only) return;
  const bool whole = attempts_.head.status == 200 && x_.method != Method::head && !switched_ && buffering_;
  if (whole) stored_ = StoredFile::begin(x_, *conf_.store, *conf_.store_access);
  if (!own_attempts_ && !stored_) x_.outlives_client = *conf_.ignore_client_abort;
}

void Forwarding::store() {
  if (!stored_) return;
  const Field* const modified = attempts_.head.headers.find(FieldId::last_modified);
  stored_->commit(modified ? parse_http_date(modified->value) : std::nullopt);
  stored_.reset();
}

void Forwarding::remember_error(int status, const UpstreamHead* head) {
  if (cache_ && may_keep_) cache_->remember_error(status, head);
}

// What nobody reads any more is read for the cache: the client has left, or has asked for a part, or for the head alone.
Task<void> Forwarding::fill_cache(std::shared_ptr<Forwarding> self) {
  Forwarding& f = *self;
  while (f.reading_ahead_) {
    f.more_.reset();
    const Errc waited = co_await f.more_.wait(Deadline::never(Wait::upstream_read));
    if (waited != Errc::ok) co_return;
  }
  f.filling_ = true;
  f.queue_.clear();
  f.queued_ = 0;
  f.take_apart();  // what came with the head, where limit_rate has left it
  while (!f.ended_ && !f.broken_ && f.is_kept()) {
    if (f.rate_ > 0 && f.allowed() <= 0) {
      const Errc slept = co_await sleep_until(Deadline::in(Milliseconds(100), Wait::upstream_read));
      if (slept == Errc::cancelled) co_return;
      continue;
    }
    const Io io = f.pull();
    if (io.kind != Io::want_read && io.kind != Io::want_write) continue;
    f.last_read_ = f.x_.loop.now();
    const Errc waited = co_await UpstreamWait(*f.connection_, io, Deadline::in(f.read_timeout(), Wait::upstream_read));
    if (f.ended_ || f.broken_) co_return;
    const Errc still = f.after_wait(waited);
    if (still != Errc::ok) co_return;
  }
}

}  // namespace seawall
