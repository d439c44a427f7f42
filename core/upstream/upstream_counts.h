// What is counted of upstreams and caches for all generations of the server: tries by result, retries, times to the head of an
// answer, cache look-ups by status; and which servers are thought to be well. Servers of the configuration have names here; those
// that requests have made up share an empty one. Any thread, but for collect_upstreams: a loop's.
#pragma once
#include <cstdint>

namespace seawall {

class Attempt;
class Gathering;
class Group;
class PeerState;
class UpstreamConf;

// Makes the memory; before the first worker is forked.
void prepare_upstream_counts();

// A try has ended. `peer` null: no server was there to try. `is_retry`: not the request's first. cancelled: its client has left.
enum class TryResult : std::uint8_t { answered, failed, timeout, cancelled };
void count_attempt(const Group& group, const PeerState* peer, const Attempt& attempt, TryResult result, bool is_retry);
// "HIT", "MISS", ... as in $upstream_cache_status.
void count_cache(const char* status);

void collect_upstreams(Gathering& out, const UpstreamConf& conf);

}  // namespace seawall
