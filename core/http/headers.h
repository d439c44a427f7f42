// Header fields of a message in the order they came. Names the server itself looks at have a FieldId, found once when
// the field is added, so that asking for an absent one costs a bit test. Text is copied into an arena unless the caller
// promises that it outlives the message. One thread; movable.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "seawall/base/arena.h"
#include "seawall/base/export.h"
#include "seawall/base/pool.h"

namespace seawall {

enum class FieldId : std::uint8_t {
  other, accept, accept_encoding, accept_ranges, age, allow, authorization, cache_control, connection,
  content_encoding, content_length, content_range, content_type, cookie, date, depth, destination, etag, expect, expires,
  forwarded, host, http2_settings, if_match, if_modified_since, if_none_match, if_range, if_unmodified_since,
  keep_alive, last_modified, link, location, overwrite, pragma, priority, proxy_connection, range, referer, retry_after,
  server, set_cookie, te, trailer, transfer_encoding, upgrade, user_agent, vary, via, www_authenticate,
  x_accel_buffering, x_accel_charset, x_accel_expires, x_accel_limit_rate, x_accel_redirect, x_forwarded_for,
  x_forwarded_proto, x_real_ip,
};

// other for names the server has no use for itself; ASCII case does not matter.
SEAWALL_API FieldId field_id(std::string_view name);

class Field {
 public:
  Field(std::string_view name, std::string_view value, FieldId id) : name(name), value(value), id(id) {}
  std::string_view name;
  std::string_view value;
  FieldId id;
};

class SEAWALL_API Headers {
 public:
  // Room for so many at once, no more.
  void reserve(std::size_t fields) { fields_.reserve(fields); }
  // Copies both texts.
  void add(std::string_view name, std::string_view value);
  // Keeps the views: literals, configuration, bytes pinned by the message's owner.
  void add_view(std::string_view name, std::string_view value) { add_view(name, value, field_id(name)); }
  void add_view(std::string_view name, std::string_view value, FieldId id);
  // Replaces the first field of that name and drops the others.
  void set(std::string_view name, std::string_view value);
  void remove(std::string_view name);
  void remove(FieldId id);
  void clear();

  bool has(FieldId id) const { return (present_ >> static_cast<unsigned>(id)) & 1; }
  const Field* find(FieldId id) const;                 // the first one
  const Field* find(std::string_view name) const;      // ASCII case ignored
  std::string_view get(FieldId id) const;              // empty when absent
  std::string_view get(std::string_view name) const;
  std::size_t count(FieldId id) const;

  std::span<const Field> all() const { return fields_; }
  bool empty() const { return fields_.empty(); }
  Arena& arena() { return arena_; }  // for values composed piece by piece and then added as views

 private:
  static_assert(static_cast<int>(FieldId::x_real_ip) < 64);
  std::vector<Field, PoolAllocator<Field>> fields_;
  Arena arena_;
  std::uint64_t present_ = 0;  // a bit per FieldId but other
};

}  // namespace seawall
