// CacheUse: one request's dealings with a cache: what is there for it, whose turn it is to fetch what is not, and the keeping of
// what has been fetched. One loop; lives with the forwarding.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "seawall/cache/cache_entry.h"
#include "seawall/cache/cache_index.h"
#include "seawall/server/exchange.h"
#include "seawall/upstream/cache_rules.h"
#include "seawall/upstream/forward_conf.h"
#include "seawall/upstream/protocol.h"

namespace seawall {

class CacheUse {
 public:
  // missing, scarce: there is nothing, and the response is to be kept, or not (it is not asked for often enough yet, or another
  // request fetches it and has taken too long). stale: too old, and it is our turn to fetch it; updating: another's. error: a
  // status that is remembered.
  enum class Found : std::uint8_t { fresh, stale, updating, missing, scarce, error };

  CacheUse(Exchange& x, const ForwardConf& conf, const CachePath& path, std::string key);
  ~CacheUse();

  // Waits for another's response where there is none (proxy_cache_lock).
  Task<Found> open();
  const std::optional<CacheEntry>& entry() const { return entry_; }
  int error() const { return error_; }
  // Of what is too old: the response itself allows that it is sent.
  bool may_be_sent_while_updating() const { return stale_updating_; }
  bool may_be_sent_on_error() const { return stale_error_; }
  // False: there was nothing.
  bool purge() { return index_.purge(main_); }

  // What to ask the upstream when it is to say whether the entry has changed; empty: nothing to compare with.
  std::string modified_since() const;
  std::string none_match() const;

  // Begins to keep the response, if its fields and the settings allow it.
  bool keep(const UpstreamHead& head);
  bool keeps() const { return writer_ && writer_->begun(); }
  void append(std::string_view bytes);
  void commit();
  // Nothing is kept after all.
  void give_up();
  // A 304: the entry is as old as that from now on, and good for another while where its fields or the settings say so.
  void find_unchanged(const UpstreamHead& head);
  // The status, instead of asking again, as long as proxy_cache_valid says (or the fields of what came with it).
  void remember_error(int status, const UpstreamHead* head);

 private:
  bool begin_file(const CacheEntryHead& head, std::string_view vary, const std::string& fields);
  bool renew_fields(const Headers& said);
  Found look(bool again);
  Found judge(std::int64_t now);
  Task<Found> check(Found found);
  Task<bool> wait_for_turn(std::int64_t until);
  std::int64_t valid_until(int status, const Freshness& fresh, std::int64_t now) const;
  void log_failed(const std::string& what, std::error_code error) const;

  Exchange& x_;
  const ForwardConf& conf_;
  const CachePath& path_;
  CacheIndex index_;
  const std::string key_;
  const CacheHash main_;
  CacheHash hash_;                  // main_, or that of the variant
  const std::uint64_t token_;
  std::optional<CacheHash> turn_;   // of what we have said that we fetch it
  std::optional<CacheEntry> entry_;
  int error_ = 0;
  bool stale_updating_ = false, stale_error_ = false;
  std::unique_ptr<CacheEntryWriter> writer_;
};

}  // namespace seawall
