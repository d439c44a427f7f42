#include "recording.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "seawall/server/vhost.h"

namespace seawall::metrics {
namespace {

constexpr std::uint32_t kRoutes = 1000;  // what is beyond them is counted as one, under empty names
constexpr int kLoops = 16;               // with counts of their own; the others share these

// Seconds, as Prometheus' clients have them; and what lies between a millisecond and them.
constexpr std::array<double, 13> kBounds = {.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10};

constexpr auto kLimits = [] {  // the same in nanoseconds, as they are compared
  std::array<std::int64_t, kBounds.size()> limits{};
  for (std::size_t i = 0; i < limits.size(); ++i) limits[i] = static_cast<std::int64_t>(kBounds[i] * 1e9 + .5);
  return limits;
}();

constexpr std::array<const char*, 8> kMethods = {"other", "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"};
constexpr std::array<const char*, 5> kClasses = {"1xx", "2xx", "3xx", "4xx", "5xx"};
constexpr std::array<const char*, 4> kPhases = {"header", "body", "handler", "send"};

// The counts of one location and loop.
constexpr int kRequests = 0;                                                     // by method and class
constexpr int kReceived = kRequests + kMethods.size() * kClasses.size();         // bytes
constexpr int kSent = kReceived + 1;
constexpr int kTimes = kSent + 1;                                                // for each phase its buckets and the sum, in ns
constexpr int kTimesOfPhase = kBounds.size() + 2;
constexpr int kCounts = kTimes + kPhases.size() * kTimesOfPhase;

SharedTable& table() {
  static SharedTable table(kRoutes, kLoops * kCounts);
  return table;
}

int index_of(Method method) {
  switch (method) {
    case Method::get: return 1;
    case Method::head: return 2;
    case Method::post: return 3;
    case Method::put: return 4;
    case Method::delete_: return 5;
    case Method::patch: return 6;
    case Method::options: return 7;
    default: return 0;
  }
}

void add_time(SharedCount* counts, int phase, std::int64_t nanoseconds) {
  SharedCount* const times = counts + kTimes + phase * kTimesOfPhase;
  const bool short_one = nanoseconds <= kLimits[0];  // as most are: nothing to look for
  times[short_one ? 0 : std::lower_bound(kLimits.begin(), kLimits.end(), nanoseconds) - kLimits.begin()].add();
  if (nanoseconds > 0) times[kTimesOfPhase - 1].add(static_cast<std::uint64_t>(nanoseconds));
}

// As it is written in the configuration: "= /a", "/b/", "~ \.php$", "@c"; of the server itself, outside its locations, "".
std::string label_of(const Location& location) {
  switch (location.kind) {
    case Location::Kind::root: return "";
    case Location::Kind::unnamed: return label_of(*location.parent);
    case Location::Kind::exact: return "= " + location.name;
    case Location::Kind::prefix_no_regex: return "^~ " + location.name;
    case Location::Kind::regex: return "~ " + location.name;
    default: return location.name;
  }
}

// One route, all loops together.
class Route {
 public:
  explicit Route(const SharedCount* counts) : counts_(counts) {}
  std::uint64_t operator[](int index) const {
    std::uint64_t sum = 0;
    for (int loop = 0; loop < kLoops; ++loop) sum += counts_[loop * kCounts + index].get();
    return sum;
  }

 private:
  const SharedCount* counts_;
};

class Families {
 public:
  explicit Families(Gathering& out)
      : requests_(out.counter("seawall_http_requests", "Requests by server, location, method and class of status.")),
        received_(out.counter("seawall_http_received_bytes", "Bytes of requests: heads and bodies.")),
        sent_(out.counter("seawall_http_sent_bytes", "Bytes of responses: heads and bodies.")),
        times_(out.histogram("seawall_http_phase_seconds", "What requests took: reading the head, waiting for the body, the handler, sending.",
                             kBounds)) {}

  void add(const std::string& vhost, const std::string& location, const Route& route) {
    for (int method = 0; method < static_cast<int>(kMethods.size()); ++method)
      for (int status = 0; status < static_cast<int>(kClasses.size()); ++status)
        if (const auto n = route[kRequests + method * static_cast<int>(kClasses.size()) + status])
          requests_.add(static_cast<double>(n), {{"vhost", vhost}, {"location", location},
                                                 {"method", kMethods[static_cast<std::size_t>(method)]},
                                                 {"status", kClasses[static_cast<std::size_t>(status)]}});
    received_.add(static_cast<double>(route[kReceived]), {{"vhost", vhost}, {"location", location}});
    sent_.add(static_cast<double>(route[kSent]), {{"vhost", vhost}, {"location", location}});
    for (int phase = 0; phase < static_cast<int>(kPhases.size()); ++phase) add_times(vhost, location, route, phase);
  }

 private:
  // Where the phase has never been, there is nothing to say of it.
  void add_times(const std::string& vhost, const std::string& location, const Route& route, int phase) {
    const int first = kTimes + phase * kTimesOfPhase;
    std::vector<std::uint64_t> buckets;
    for (int i = 0; i < kTimesOfPhase - 1; ++i) buckets.push_back(route[first + i] + (i ? buckets.back() : 0));
    if (buckets.back() == 0) return;
    times_.add(static_cast<double>(route[first + kTimesOfPhase - 1]) / 1e9,
               {{"vhost", vhost}, {"location", location}, {"phase", kPhases[static_cast<std::size_t>(phase)]}});
    times_.samples.back().buckets = std::move(buckets);
  }

  Family &requests_, &received_, &sent_, &times_;
};

}  // namespace

void prepare_recording() { table(); }

SharedCount* Recorder::counts_of(const Exchange& x) {
  if (x.location == last_) return last_counts_;
  SharedCount*& counts = known_[x.location];
  if (!counts) {
    const std::string vhost = x.vhost->primary_name.empty() ? "_" : x.vhost->primary_name;
    counts = table().at(vhost + '\n' + label_of(*x.location)) + loop_ % kLoops * kCounts;
  }
  last_ = x.location;
  return last_counts_ = counts;
}

void Recorder::record(const Exchange& x) {
  SharedCount* const counts = counts_of(x);
  const int status = std::clamp(x.status / 100, 1, 5) - 1;
  counts[kRequests + index_of(x.request.method) * static_cast<int>(kClasses.size()) + status].add();
  counts[kReceived].add(x.request.size + x.body.wire_size());
  counts[kSent].add(x.bytes_sent);
  const std::int64_t now = x.loop.now(), begun = x.response_begun ? x.response_begun : now;
  add_time(counts, 0, x.head_read - x.started);
  if (x.body_waited) add_time(counts, 1, x.body_waited);
  add_time(counts, 2, begun - x.head_read - x.body_waited);
  add_time(counts, 3, now - begun);
}

void collect_requests(Gathering& out) {
  Families families(out);
  table().for_each([&](std::string_view key, const SharedCount* counts) {
    const auto cut = key.find('\n');
    const Route route(counts);
    if (cut != std::string_view::npos) families.add(std::string(key.substr(0, cut)), std::string(key.substr(cut + 1)), route);
    else if (route[kSent] > 0) families.add("", "", route);
  });
}

}  // namespace seawall::metrics
