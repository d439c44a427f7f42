#include "seawall/http/headers.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "seawall/base/lower_word.h"
#include "seawall/base/text.h"

namespace seawall {
namespace {

struct Known {
  std::string_view name;
  FieldId id;
};

// By length: at most a handful of comparisons for any name.
constexpr Known kKnown[] = {
    {"te", FieldId::te}, {"age", FieldId::age}, {"via", FieldId::via},
    {"host", FieldId::host}, {"date", FieldId::date}, {"etag", FieldId::etag}, {"link", FieldId::link}, {"vary", FieldId::vary},
    {"allow", FieldId::allow}, {"range", FieldId::range}, {"depth", FieldId::depth},
    {"accept", FieldId::accept}, {"cookie", FieldId::cookie}, {"expect", FieldId::expect}, {"pragma", FieldId::pragma}, {"server", FieldId::server},
    {"expires", FieldId::expires}, {"referer", FieldId::referer}, {"trailer", FieldId::trailer}, {"upgrade", FieldId::upgrade},
    {"if-match", FieldId::if_match}, {"if-range", FieldId::if_range}, {"location", FieldId::location}, {"priority", FieldId::priority},
    {"forwarded", FieldId::forwarded}, {"overwrite", FieldId::overwrite}, {"x-real-ip", FieldId::x_real_ip},
    {"connection", FieldId::connection}, {"keep-alive", FieldId::keep_alive}, {"set-cookie", FieldId::set_cookie}, {"user-agent", FieldId::user_agent},
    {"destination", FieldId::destination}, {"retry-after", FieldId::retry_after},
    {"content-type", FieldId::content_type},
    {"accept-ranges", FieldId::accept_ranges}, {"authorization", FieldId::authorization}, {"cache-control", FieldId::cache_control},
    {"content-range", FieldId::content_range}, {"if-none-match", FieldId::if_none_match}, {"last-modified", FieldId::last_modified},
    {"content-length", FieldId::content_length}, {"http2-settings", FieldId::http2_settings},
    {"accept-encoding", FieldId::accept_encoding}, {"x-accel-charset", FieldId::x_accel_charset}, {"x-accel-expires", FieldId::x_accel_expires},
    {"x-forwarded-for", FieldId::x_forwarded_for},
    {"content-encoding", FieldId::content_encoding}, {"proxy-connection", FieldId::proxy_connection}, {"www-authenticate", FieldId::www_authenticate},
    {"x-accel-redirect", FieldId::x_accel_redirect},
    {"if-modified-since", FieldId::if_modified_since}, {"transfer-encoding", FieldId::transfer_encoding}, {"x-accel-buffering", FieldId::x_accel_buffering},
    {"x-forwarded-proto", FieldId::x_forwarded_proto},
    {"x-accel-limit-rate", FieldId::x_accel_limit_rate},
    {"if-unmodified-since", FieldId::if_unmodified_since},
};
constexpr std::size_t kLongest = 19;

// Where the names of each length begin in kKnown.
constexpr auto kFrom = [] {
  std::array<std::uint8_t, kLongest + 2> from{};
  for (std::size_t length = 0, i = 0; length < from.size(); ++length) {
    while (i < std::size(kKnown) && kKnown[i].name.size() < length) ++i;
    from[length] = static_cast<std::uint8_t>(i);
  }
  return from;
}();

// `known` is in lower case already, and as long.
bool is_named(std::string_view name, std::string_view known) {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  const auto differs = [&](std::size_t at) {
    std::uint64_t word;
    std::memcpy(&word, known.data() + at, kWord);
    return lower_word(name.data() + at) != word;
  };
  if (name.size() < kWord) return equals_ignoring_case(name, known);
  for (std::size_t at = 0; at + kWord <= name.size(); at += kWord)
    if (differs(at)) return false;
  return !differs(name.size() - kWord);
}

}  // namespace

FieldId field_id(std::string_view name) {
  if (name.size() > kLongest) return FieldId::other;
  for (std::size_t i = kFrom[name.size()]; i < kFrom[name.size() + 1]; ++i)
    if (to_lower(name[0]) == kKnown[i].name[0] && is_named(name, kKnown[i].name)) return kKnown[i].id;
  return FieldId::other;
}

void Headers::add(std::string_view name, std::string_view value) {
  add_view(arena_.copy(name), arena_.copy(value), field_id(name));
}

void Headers::add_view(std::string_view name, std::string_view value, FieldId id) {
  if (fields_.capacity() == 0) fields_.reserve(12);
  fields_.emplace_back(name, value, id);
  if (id != FieldId::other) present_ |= 1ull << static_cast<unsigned>(id);
}

void Headers::set(std::string_view name, std::string_view value) {
  const FieldId id = field_id(name);
  if (id != FieldId::other && !has(id)) return add_view(arena_.copy(name), arena_.copy(value), id);
  const auto is_named = [name, id](const Field& f) { return f.id == id && (id != FieldId::other || equals_ignoring_case(f.name, name)); };
  const auto first = std::find_if(fields_.begin(), fields_.end(), is_named);
  if (first == fields_.end()) return add(name, value);
  first->value = arena_.copy(value);
  fields_.erase(std::remove_if(first + 1, fields_.end(), is_named), fields_.end());
}

void Headers::remove(std::string_view name) {
  if (const FieldId id = field_id(name); id != FieldId::other) return remove(id);
  std::erase_if(fields_, [&](const Field& f) { return f.id == FieldId::other && equals_ignoring_case(f.name, name); });
}

void Headers::remove(FieldId id) {
  if (!has(id)) return;
  std::erase_if(fields_, [&](const Field& f) { return f.id == id; });
  present_ &= ~(1ull << static_cast<unsigned>(id));
}

void Headers::clear() {
  fields_.clear();
  arena_.clear();
  present_ = 0;
}

const Field* Headers::find(FieldId id) const {
  if (!has(id)) return nullptr;
  for (const Field& field : fields_)
    if (field.id == id) return &field;
  return nullptr;
}

const Field* Headers::find(std::string_view name) const {
  if (const FieldId id = field_id(name); id != FieldId::other) return find(id);
  for (const Field& field : fields_)
    if (field.id == FieldId::other && equals_ignoring_case(field.name, name)) return &field;
  return nullptr;
}

std::string_view Headers::get(FieldId id) const {
  const Field* field = find(id);
  return field ? field->value : std::string_view{};
}

std::string_view Headers::get(std::string_view name) const {
  const Field* field = find(name);
  return field ? field->value : std::string_view{};
}

std::size_t Headers::count(FieldId id) const {
  if (!has(id)) return 0;
  return static_cast<std::size_t>(std::count_if(fields_.begin(), fields_.end(), [&](const Field& f) { return f.id == id; }));
}

}  // namespace seawall
