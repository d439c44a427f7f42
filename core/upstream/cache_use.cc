#include "seawall/upstream/cache_use.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "seawall/base/text.h"
#include "seawall/cache/cache_waiters.h"
#include "seawall/cache/hot_entries.h"
#include "seawall/http/date.h"
#include "seawall/net/loop.h"
#include "seawall/net/offload.h"
#include "seawall/upstream/ended_fields.h"
#include "seawall/upstream/forwarding.h"

namespace seawall {
namespace {

// Also where max_size is less, which the keeper sees to.
constexpr std::uint64_t kAlwaysFits = 16 * 1024 * 1024;
constexpr std::int64_t kLook = 500;  // ms: a fetcher of another process says nothing when it has ended

constexpr Milliseconds kCheckTime{60'000};

std::string fields_of(const Headers& headers) {
  std::string text;
  const EndedFields ended(headers);
  for (const Field& field : headers.all())
    if (!is_hop_by_hop(field.id) && !ended.has(field)) text.append(field.name).append(1, '\0').append(field.value).append(1, '\0');
  return text;
}

std::string_view field_in(std::string_view fields, std::string_view name) {
  while (!fields.empty()) {
    const auto name_end = fields.find('\0'), end = fields.find('\0', name_end + 1);
    if (equals_ignoring_case(fields.substr(0, name_end), name)) return fields.substr(name_end + 1, end - name_end - 1);
    fields.remove_prefix(end + 1);
  }
  return {};
}

// What a 304 may say of the response that it confirms, and what the entry was chosen by.
bool is_of_the_body(FieldId id) {
  switch (id) {
    case FieldId::content_type: case FieldId::content_encoding: case FieldId::content_range: case FieldId::vary: case FieldId::set_cookie: return true;
    default: return false;
  }
}

// An entry's fields, those that `said` has in place of its own.
std::string updated(std::string_view fields, const Headers& said) {
  Headers news;
  const EndedFields ended(said);
  for (const Field& field : said.all())
    if (!is_hop_by_hop(field.id) && !ended.has(field) && !is_of_the_body(field.id)) news.add_view(field.name, field.value, field.id);
  std::string text;
  while (!fields.empty()) {
    const auto name_end = fields.find('\0'), end = fields.find('\0', name_end + 1);
    if (!news.find(fields.substr(0, name_end))) text += fields.substr(0, end + 1);
    fields.remove_prefix(end + 1);
  }
  return text + fields_of(news);
}

bool is_on_one_device(const std::string& a, const std::string& b) {
  struct stat one, other;
  return ::stat(a.c_str(), &one) == 0 && ::stat(b.c_str(), &other) == 0 && one.st_dev == other.st_dev;
}

bool has_validators(int status) { return status == 200 || status == 206; }

}  // namespace

CacheUse::CacheUse(Exchange& x, const ForwardConf& conf, const CachePath& path, std::string key)
    : x_(x), conf_(conf), path_(path), index_(path), key_(std::move(key)), main_({key_}), hash_(main_), token_(CacheIndex::next_token()) {}

CacheUse::~CacheUse() { give_up(); }

void CacheUse::give_up() {
  writer_.reset();
  if (turn_) index_.end_update(*turn_, token_);
  turn_.reset();
}

void CacheUse::log_failed(const std::string& what, std::error_code error) const {
  x_.log(Level::crit, what + " failed " + describe(error));
}

CacheUse::Found CacheUse::look(bool again) {
  const std::int64_t now = std::time(nullptr);
  hash_ = main_;
  entry_.reset();
  for (bool variant = false;; variant = true) {
    const CacheIndex::Seen seen = index_.look(hash_, now, again);
    if (!seen.counted) {
      x_.log(Level::alert, "could not allocate node in cache keys zone \"" + path_.zone->name + "\"");
      return Found::scarce;
    }
    error_ = seen.error;
    if (error_) return Found::error;
    const Found nothing = seen.uses < static_cast<std::uint64_t>(*conf_.cache_min_uses) ? Found::scarce : Found::missing;
    if (!seen.try_file) return nothing;
    const std::string file = path_.file_of(hash_);
    Result<CacheEntry> entry = HotEntries::of_thread().open(file, key_);
    if (!entry) {
      const bool absent = entry.error() == std::errc::no_such_file_or_directory;
      if (entry.error() == Errc::bad_request) {
        x_.log(Level::crit, "cache file \"" + file + "\" is no whole entry of its key");
        index_.purge(hash_);
        return nothing;
      }
      if (!absent) log_failed("open() \"" + file + "\"", entry.error());
      index_.lost(hash_);
      return nothing;
    }
    if (!entry->vary.empty()) {
      const CacheHash asked = variant_of(main_, entry->vary, x_.request.headers);
      if (asked.bytes != entry->head.variant) {
        if (variant) return nothing;
        hash_ = asked;
        continue;
      }
    }
    entry_ = std::move(*entry);
    return judge(now);
  }
}

CacheUse::Found CacheUse::judge(std::int64_t now) {
  const CacheEntryHead& head = entry_->head;
  if (head.valid_until >= now) return Found::fresh;
  stale_updating_ = head.valid_until + head.while_updating >= now;
  stale_error_ = head.valid_until + head.on_error >= now;
  if (!index_.begin_update(hash_, token_, std::nullopt)) return Found::updating;
  turn_ = hash_;
  return Found::stale;
}

// A long body from before the machine started: whether it is whole takes a while to find out.
Task<CacheUse::Found> CacheUse::check(Found found) {
  const std::string file = path_.file_of(hash_);
  auto work = [entry = *entry_, file]() mutable { return entry.check(file); };
  const Result<bool> whole = co_await offload(LoopUpstreams::of(x_.loop).checks, std::move(work), Deadline::in(kCheckTime, Wait::handler));
  if (whole && *whole) co_return found;
  entry_.reset();
  if (whole) {
    x_.log(Level::crit, "cache file \"" + file + "\" is no whole entry of its key");
    index_.purge(hash_);
    co_return Found::missing;
  }
  if (whole.error() != Errc::cancelled) log_failed("checking cache file \"" + file + "\"", whole.error());
  give_up();
  co_return Found::scarce;
}

Task<CacheUse::Found> CacheUse::open() {
  const std::int64_t until = x_.loop.now() / 1'000'000 + conf_.cache_lock_timeout->count();
  for (bool again = false;; again = true) {
    const Found found = look(again);
    if (entry_ && !entry_->is_checked()) co_return co_await check(found);
    if (found != Found::missing || !*conf_.cache_lock) co_return found;
    if (index_.begin_update(hash_, token_, *conf_.cache_lock_age)) {
      turn_ = hash_;
      co_return found;
    }
    const bool waited = co_await wait_for_turn(until);
    if (!waited) co_return Found::scarce;
  }
}

// Until something may have happened; false: that was too long.
Task<bool> CacheUse::wait_for_turn(std::int64_t until) {
  CacheWaiter waiter(hash_);
  const std::optional<std::int64_t> left = index_.time_left(hash_);  // it may have ended before we were there to hear it
  if (!left) co_return true;
  const std::int64_t now = x_.loop.now() / 1'000'000;
  if (now >= until) {
    x_.log(Level::info, "cache lock timeout");
    co_return false;
  }
  const std::int64_t time = std::min({*left, kLook, until - now});
  const Errc waited = co_await waiter.wait(Deadline::in(Milliseconds(time), Wait::handler));
  co_return waited != Errc::cancelled;
}

std::string CacheUse::modified_since() const {
  if (!entry_ || entry_->head.last_modified < 0) return {};
  return std::string(field_in(entry_->fields, "Last-Modified"));
}

std::string CacheUse::none_match() const {
  if (!entry_ || !has_validators(static_cast<int>(entry_->head.status))) return {};
  return std::string(field_in(entry_->fields, "ETag"));
}

std::int64_t CacheUse::valid_until(int status, const Freshness& fresh, std::int64_t now) const {
  if (fresh.valid_until != 0) return fresh.valid_until;
  const std::int64_t seconds = conf_.valid_for(status);
  return seconds > 0 ? now + seconds : 0;
}

bool CacheUse::keep(const UpstreamHead& head) {
  const std::int64_t now = std::time(nullptr);
  const Freshness fresh(head.headers, *conf_.ignore_headers, now);
  CacheEntryHead kept;
  kept.valid_until = valid_until(head.status, fresh, now);
  if (!fresh.may_be_kept() || kept.valid_until == 0) return false;
  kept.status = static_cast<std::uint32_t>(head.status);
  kept.date = now - age_in(head.headers.get(FieldId::age));
  kept.while_updating = fresh.while_updating;
  kept.on_error = fresh.on_error;
  if (const Field* field = head.headers.find(FieldId::last_modified); field && has_validators(head.status))
    kept.last_modified = parse_http_date(field->value).value_or(-1);
  const CacheHash variant = fresh.vary.empty() ? CacheHash() : variant_of(main_, fresh.vary, x_.request.headers);
  // What does not vary as the one under the key takes its place.
  if (hash_ != main_ && (fresh.vary.empty() || variant != hash_)) hash_ = main_;
  if (!fresh.vary.empty()) kept.variant = variant.bytes;
  return begin_file(kept, fresh.vary, fields_of(head.headers));
}

// Where *_temp_path is another file system's, or not ours to write to, the cache's own folder does as well.
bool CacheUse::begin_file(const CacheEntryHead& head, std::string_view vary, const std::string& fields) {
  writer_ = std::make_unique<CacheEntryWriter>();
  const bool elsewhere = path_.use_temp_path && is_on_one_device(*conf_.temp_path, path_.folder);
  if (elsewhere && writer_->begin(*conf_.temp_path, head, key_, vary, fields)) return true;
  writer_ = std::make_unique<CacheEntryWriter>();
  const Result<void> begun = writer_->begin(path_.folder, head, key_, vary, fields);
  if (begun) return true;
  log_failed("a cache file in \"" + path_.folder + "\"", begun.error());
  writer_.reset();
  return false;
}

void CacheUse::append(std::string_view bytes) {
  if (!writer_ || bytes.empty()) return;
  const Result<void> written = writer_->append(bytes);
  if (!written) log_failed("writing a cache file", written.error());
  // What does not end would be read for ever, also for nobody.
  if (!written || writer_->size() > std::max(static_cast<std::uint64_t>(path_.max_size), kAlwaysFits)) give_up();
}

void CacheUse::commit() {
  if (!writer_) return;
  const std::string file = path_.file_of(hash_);
  const Result<std::int64_t> bytes = writer_->commit(file);
  if (bytes) index_.stored(hash_, *bytes, std::time(nullptr));
  else log_failed("rename() to \"" + file + "\"", bytes.error());
  give_up();
}

void CacheUse::find_unchanged(const UpstreamHead& head) {
  const std::int64_t now = std::time(nullptr);
  const Freshness fresh(head.headers, *conf_.ignore_headers, now);
  const std::int64_t until = valid_until(static_cast<int>(entry_->head.status), fresh, now);
  entry_->head.date = now - age_in(head.headers.get(FieldId::age));
  if (until == 0 || !fresh.may_be_kept()) return;
  entry_->head.valid_until = until;
  if (fresh.while_updating) entry_->head.while_updating = fresh.while_updating;
  if (fresh.on_error) entry_->head.on_error = fresh.on_error;
  if (renew_fields(head.headers)) return;
  if (const Result<void> written = entry_->rewrite(path_.file_of(hash_)); !written) log_failed("writing a cache file", written.error());
}

// What a 304 says anew (RFC 9111 3.2), of a small entry: the file of another would have to be copied, and its times are what matters.
bool CacheUse::renew_fields(const Headers& said) {
  const std::string fields = updated(entry_->fields, said);
  if (fields == entry_->fields || !entry_->is_small()) return false;
  CacheEntryHead head = entry_->head;
  head.body_size = head.body_check = 0;
  if (has_validators(static_cast<int>(head.status))) head.last_modified = parse_http_date(field_in(fields, "Last-Modified")).value_or(-1);
  if (!begin_file(head, entry_->vary, fields)) return false;
  append(std::get<Slice>(entry_->body()).view());
  commit();
  if (Result<CacheEntry> renewed = CacheEntry::open(path_.file_of(hash_), key_)) entry_ = std::move(*renewed);
  return true;
}

void CacheUse::remember_error(int status, const UpstreamHead* head) {
  const std::int64_t now = std::time(nullptr);
  const Freshness fresh = head ? Freshness(head->headers, *conf_.ignore_headers, now) : Freshness();
  const std::int64_t until = valid_until(status, fresh, now);
  if (until != 0 && fresh.may_be_kept()) index_.remember_error(hash_, token_, status, until, now);
  give_up();
}

}  // namespace seawall
