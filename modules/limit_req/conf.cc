#include "conf.h"

#include <algorithm>
#include <climits>

#include "seawall/base/text.h"

namespace seawall::limit_req {
namespace {

constexpr const char* kUse = "limit_req 1";

// More requests than any burst has: nodelay.
constexpr std::int64_t kNoDelay = INT64_MAX / 2;

std::optional<std::int64_t> positive(std::string_view digits) {
  const auto number = parse_decimal(digits);
  if (!number || *number == 0 || *number > INT64_MAX / 4000) return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

std::int64_t parse_rate(const std::string& word) {
  std::string_view digits = std::string_view(word).substr(5);
  std::int64_t seconds = 1;
  if (digits.ends_with("r/s") || digits.ends_with("r/m")) {
    if (digits.back() == 'm') seconds = 60;
    digits.remove_suffix(3);
  }
  const auto rate = positive(digits);
  if (!rate) throw ConfigError("invalid rate \"" + word + "\"");
  return *rate * 1000 / seconds;
}

// A zone that a configuration before has left: its buckets are named by the key of then. As in nginx that holds of an empty one,
// too: a configuration that is refused in the end must leave nothing behind in it.
void check_key(Zone& zone) {
  const std::string& key = static_cast<const Rate*>(zone.data.get())->key.source();
  if (!zone.memory().note_as(key))
    throw ConfigError("limit_req \"" + zone.name + "\" uses the \"" + key + "\" key while previously it used the \"" +
                      zone.memory().note() + "\" key");
}

}  // namespace

void declare_zone(Conf&, const Invocation& in) {
  auto rate = std::make_shared<Rate>();
  rate->key = in.compile(in.arg(0));
  rate->rate = 1000;
  Zone* zone = nullptr;
  for (std::size_t i = 1; i < in.args().size(); ++i) {
    const std::string& word = in.arg(i);
    if (word.starts_with("zone=")) zone = &in.binder.zones().declare(in, word, kUse);
    else if (word.starts_with("rate=")) rate->rate = parse_rate(word);
    else throw ConfigError("invalid parameter \"" + word + "\"");
  }
  if (!zone) throw ConfigError("\"limit_req_zone\" must have \"zone\" parameter");
  if (zone->data)
    throw ConfigError("limit_req_zone \"" + zone->name + "\" is already bound to key \"" +
                      static_cast<const Rate*>(zone->data.get())->key.source() + "\"");
  zone->data = std::move(rate);
  zone->opened = check_key;
}

void append_limit(std::vector<Limit>& limits, const Invocation& in) {
  Limit limit;
  for (const std::string& word : in.args()) {
    const std::string value = word.substr(word.find('=') + 1);
    if (word.starts_with("zone=")) {
      limit.zone = &in.binder.zones().get(value, 0, kUse, in.node.place);
    } else if (word.starts_with("burst=")) {
      const auto burst = positive(value);
      if (!burst) throw ConfigError("invalid burst value \"" + word + "\"");
      limit.burst = *burst * 1000;
    } else if (word.starts_with("delay=")) {
      const auto delay = positive(value);
      if (!delay) throw ConfigError("invalid delay value \"" + word + "\"");
      limit.delay = *delay * 1000;
    } else if (word == "nodelay") {
      limit.delay = kNoDelay;
    } else {
      throw ConfigError("invalid parameter \"" + word + "\"");
    }
  }
  if (!limit.zone) throw ConfigError("\"limit_req\" must have \"zone\" parameter");
  if (std::any_of(limits.begin(), limits.end(), [&](const Limit& other) { return other.zone == limit.zone; }))
    throw_duplicate("limit_req");
  limits.push_back(limit);
}

std::int64_t parse_status(const Invocation& in) {
  const std::int64_t status = parse_number(in);
  if (status < 400 || status > 599) throw ConfigError("value must be between 400 and 599");
  return status;
}

}  // namespace seawall::limit_req
