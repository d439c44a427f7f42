#include "seawall/upstream/forward_conf.h"

#include <algorithm>
#include <deque>

#include "seawall/base/text.h"
#include "seawall/config/binder.h"
#include "seawall/net/address.h"
#include "seawall/server/worker_folders.h"

namespace seawall {
namespace {

struct Bit {
  std::string_view word;
  unsigned bit;
};

constexpr Bit kNext[] = {
    {"error", next_upstream::error}, {"timeout", next_upstream::timeout}, {"invalid_header", next_upstream::invalid_header},
    {"non_idempotent", next_upstream::non_idempotent}, {"http_500", next_upstream::http_500}, {"http_502", next_upstream::http_502},
    {"http_503", next_upstream::http_503}, {"http_504", next_upstream::http_504}, {"http_403", next_upstream::http_403},
    {"http_404", next_upstream::http_404}, {"http_429", next_upstream::http_429}, {"off", next_upstream::off},
};
constexpr Bit kIgnored[] = {
    {"X-Accel-Redirect", ignored::redirect}, {"X-Accel-Expires", ignored::expires_accel}, {"X-Accel-Limit-Rate", ignored::limit_rate},
    {"X-Accel-Buffering", ignored::buffering}, {"X-Accel-Charset", ignored::charset}, {"Expires", ignored::expires},
    {"Cache-Control", ignored::cache_control}, {"Set-Cookie", ignored::set_cookie}, {"Vary", ignored::vary},
};

unsigned bits_of(const Invocation& in, std::span<const Bit> known) {
  unsigned bits = 0;
  for (const std::string& word : in.args()) {
    const auto found = std::find_if(known.begin(), known.end(), [&](const Bit& b) { return equals_ignoring_case(b.word, word); });
    if (found == known.end()) throw ConfigError("invalid value \"" + word + "\"");
    if (bits & found->bit) in.warn("duplicate value \"" + word + "\"");
    bits |= found->bit;
  }
  return bits;
}

}  // namespace

unsigned parse_next_upstream(const Invocation& in) {
  const unsigned bits = bits_of(in, kNext);
  return bits & next_upstream::off ? next_upstream::off : bits;
}

unsigned stale_bit(std::string_view word) {
  if (equals_ignoring_case(word, "updating")) return next_upstream::updating;
  const auto found = std::find_if(std::begin(kNext), std::end(kNext), [&](const Bit& b) { return equals_ignoring_case(b.word, word); });
  return found == std::end(kNext) || found->bit == next_upstream::non_idempotent ? 0 : found->bit;
}

unsigned parse_ignored_headers(const Invocation& in) { return bits_of(in, kIgnored); }

Buffers parse_buffers(const Invocation& in) {
  Buffers buffers;
  const auto number = parse_decimal(in.arg(0));
  const auto size = size_of(in.arg(1));
  if (!number || *number == 0 || *number > 65536 || !size || *size <= 0) throw ConfigError("\"" + in.node.name + "\" directive invalid value");
  if (*number < 2) throw ConfigError("there must be at least 2 \"" + in.node.name + "\"");
  buffers.number = static_cast<std::int64_t>(*number);
  buffers.size = *size;
  return buffers;
}

BindTo parse_bind(const Invocation& in) {
  BindTo bind;
  if (in.args().size() == 1 && in.arg(0) == "off") return bind;
  bind.off = false;
  bind.address = in.compile(in.arg(0));
  if (bind.address.is_literal() && !Address::parse(in.arg(0))) throw ConfigError("invalid address \"" + in.arg(0) + "\"");
  if (in.args().size() == 1) return bind;
  if (in.arg(1) != "transparent") throw ConfigError("invalid parameter \"" + in.arg(1) + "\"");
  bind.transparent = true;
  return bind;
}

WaitForServer parse_wait(const Invocation& in) {
  WaitForServer wait;
  const auto time = time_of(in.arg(0));
  if (!time) throw_invalid_value(in.arg(0), in.node.name.c_str());
  wait.time = *time;
  if (in.args().size() == 1) return wait;
  const auto queue = in.arg(1).starts_with("queue=") ? parse_decimal(std::string_view(in.arg(1)).substr(6)) : std::nullopt;
  if (!queue || *queue == 0 || *queue > 1'000'000) throw ConfigError("invalid parameter \"" + in.arg(1) + "\"");
  wait.queue = static_cast<std::int64_t>(*queue);
  return wait;
}

// The levels of folders that may follow tune file systems of another age: the files have no names here.
std::string parse_temp_path(const Invocation& in) {
  for (std::size_t i = 1; i < in.args().size(); ++i)
    if (const auto level = parse_decimal(in.arg(i)); !level || *level < 1 || *level > 3) throw ConfigError("invalid value \"" + in.arg(i) + "\"");
  const std::string path = in.prefixed(in.arg(0));
  note_worker_folder(path);
  return path;
}

void append_word(std::vector<std::string>& words, const Invocation& in) { words.push_back(in.arg(0)); }

const char* prefixed_name(const char* prefix, const char* name) {
  static std::deque<std::string> names;
  return names.emplace_back(std::string(prefix) + name).c_str();
}

bool ForwardConf::hides_other(std::string_view name) const {
  return std::any_of(hidden_.begin(), hidden_.end(), [&](const std::string& other) { return equals_ignoring_case(other, name); });
}

void ForwardConf::finish(const char* prefix, std::span<const std::string_view> hidden, const Binder& binder) {
  if (temp_path.is_default()) note_worker_folder(temp_path.edit() = binder.options().prefix + prefix + "_temp");
  hidden_.assign(hidden.begin(), hidden.end());
  for (const std::string& name : *pass_headers) std::erase_if(hidden_, [&](const std::string& other) { return equals_ignoring_case(other, name); });
  hidden_.insert(hidden_.end(), hide_headers->begin(), hide_headers->end());
  std::erase_if(hidden_, [&](const std::string& name) {
    const FieldId id = field_id(name);
    if (id != FieldId::other) hidden_known_ |= 1ull << static_cast<unsigned>(id);
    return id != FieldId::other;
  });
  finish_cache(prefix, std::string_view(prefix) == "proxy", binder);
  if (store->on && caches()) {
    if (store.is_set() && cache.is_set())
      throw ConfigError("\"" + std::string(prefix) + "_store\" directive is incompatible with \"" + prefix + "_cache\"");
    store.edit().on = false;
  }
  const std::int64_t largest = std::max(*buffer_size, buffers->size);
  const std::string name(prefix);
  if (!busy_buffers_size.is_default()) {
    if (*busy_buffers_size < largest)
      throw ConfigError("\"" + name + "_busy_buffers_size\" must be equal to or greater than the maximum of the value of \"" + name +
                        "_buffer_size\" and one of the \"" + name + "_buffers\"");
    if (*busy_buffers_size > buffers->total() - buffers->size)
      throw ConfigError("\"" + name + "_busy_buffers_size\" must be less than the size of all \"" + name + "_buffers\" minus one buffer");
  }
  if (!max_temp_file_size.is_default() && *max_temp_file_size != 0 && *max_temp_file_size < largest)
    throw ConfigError("\"" + name + "_max_temp_file_size\" must be equal to zero to disable temporary files usage or must be equal to "
                      "or greater than the maximum of the value of \"" + name + "_buffer_size\" and one of the \"" + name + "_buffers\"");
}

}  // namespace seawall
