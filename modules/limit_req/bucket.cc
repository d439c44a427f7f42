// A leaky bucket for each key: nginx's arithmetic to the thousandth.
#include "bucket.h"

#include <algorithm>

#include "seawall/base/zone_index.h"

namespace seawall::limit_req {
namespace {

constexpr std::int64_t kRequest = 1000;
// An empty bucket that nobody has used for this long (ms) makes room for others.
constexpr std::int64_t kForgotten = 60'000;
constexpr int kDroppedAtMost = 8;

class Bucket {
 public:
  std::int64_t excess;  // thousandths of a request, at `last`
  std::int64_t last;    // ms, monotonic
};
using Buckets = ZoneIndex<Bucket>;

// Loops read their clocks at different moments: another's may be ahead a little. Far ahead is not of this boot's.
std::int64_t passed(std::int64_t now, std::int64_t last) {
  const std::int64_t ms = now - last;
  if (ms < -60'000) return 1;
  return std::max<std::int64_t>(ms, 0);
}

std::int64_t excess_of(const Bucket& bucket, std::int64_t rate, std::int64_t now) {
  return std::max<std::int64_t>(bucket.excess - rate * passed(now, bucket.last) / 1000 + kRequest, 0);
}

void fill(Bucket& bucket, std::int64_t excess, std::int64_t now) {
  bucket.excess = excess;
  if (passed(now, bucket.last) > 0) bucket.last = now;
}

// At most two for each that is added: the work of cleaning up is spread, as in nginx.
void forget_unused(Buckets& buckets, std::int64_t rate, std::int64_t now) {
  for (int i = 0; i < 2; ++i) {
    Bucket* const oldest = buckets.oldest();
    if (!oldest) return;
    const std::int64_t idle = now > oldest->last ? now - oldest->last : oldest->last - now;
    if (idle < kForgotten || oldest->excess - rate * idle / 1000 > 0) return;
    buckets.remove(oldest);
  }
}

Bucket* add(Buckets& buckets, std::string_view key, std::int64_t rate, std::int64_t now) {
  forget_unused(buckets, rate, now);
  // Few others are forgotten for a new one: all loops wait meanwhile. With none of its size to be had the zone is full.
  Bucket* bucket = buckets.add(key);
  for (int dropped = 0; !bucket && dropped < kDroppedAtMost && buckets.drop_oldest(); ++dropped) bucket = buckets.add(key);
  if (bucket) bucket->last = now;
  return bucket;
}

}  // namespace

Verdict look(const Limit& limit, std::string_view key, std::int64_t now, bool count, std::int64_t& excess) {
  const Zone::Lock lock(*limit.zone);
  Buckets buckets(limit.zone->memory());
  const std::int64_t rate = limit.rate().rate;
  excess = 0;
  Bucket* const bucket = buckets.find(key);
  if (!bucket) return !count || add(buckets, key, rate, now) ? Verdict::within : Verdict::full;
  excess = excess_of(*bucket, rate, now);
  if (excess > limit.burst) return Verdict::busy;
  if (count) fill(*bucket, excess, now);
  return Verdict::within;
}

std::int64_t count(const Limit& limit, std::string_view key, std::int64_t now) {
  std::int64_t excess;
  const Zone::Lock lock(*limit.zone);
  Buckets buckets(limit.zone->memory());
  const std::int64_t rate = limit.rate().rate;
  Bucket* const bucket = buckets.find(key);
  if (!bucket) return add(buckets, key, rate, now), 0;
  excess = excess_of(*bucket, rate, now);
  fill(*bucket, excess, now);
  return excess;
}

}  // namespace seawall::limit_req
