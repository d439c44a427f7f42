// The limit_conn module: how many requests there may be at a time of what a variable names. (nginx's name: where a connection
// carries one request at a time they are connections.)
#include <algorithm>
#include <string>
#include <vector>

#include "counter.h"
#include "seawall/base/text.h"

namespace seawall::limit_conn {

enum class Status : std::uint8_t { none, passed, rejected, rejected_dry_run };

class Conf {
 public:
  Setting<std::vector<Limit>> limits;
  Setting<Level> log_level{Level::error};
  Setting<std::int64_t> status{503};
  Setting<bool> dry_run{false};
};

class LimitConn {
 public:
  using Conf = limit_conn::Conf;
  static constexpr const char* name = "limit_conn";
  static constexpr const char* summary = "bounds requests that are served at a time";
  class State {
   public:
    Status status = Status::none;
    std::vector<Lease> leases;
  };
  class LoopState {
   public:
    LoopState(Loop&, const Conf&) : process(ProcessId::current()) {}
    const ProcessId process;
  };
  static const Directive directives[5];
  static const Step steps[1];
  static const VariableRow variables[1];
};

namespace {

constexpr const char* kUse = "limit_conn 1";
constexpr std::size_t kLongestKey = 255;
constexpr std::uint64_t kMost = 65535;

// A zone that a configuration before has left: its counters are named by the key of then. As in nginx that holds of an empty one,
// too: a configuration that is refused in the end must leave nothing behind in it.
void check_key(Zone& zone) {
  const std::string& key = static_cast<const Key*>(zone.data.get())->value.source();
  if (!zone.memory().note_as(key))
    throw ConfigError("limit_conn_zone \"" + zone.name + "\" uses the \"" + key + "\" key while previously it used the \"" +
                      zone.memory().note() + "\" key");
}

// limit_conn_zone KEY zone=NAME:SIZE;
void declare_zone(Conf&, const Invocation& in) {
  auto key = std::make_shared<Key>();
  key->value = in.compile(in.arg(0));
  if (!in.arg(1).starts_with("zone=")) throw ConfigError("invalid parameter \"" + in.arg(1) + "\"");
  Zone& zone = in.binder.zones().declare(in, in.arg(1), kUse);
  if (zone.data)
    throw ConfigError("limit_conn_zone \"" + zone.name + "\" is already bound to key \"" +
                      static_cast<const Key*>(zone.data.get())->value.source() + "\"");
  zone.data = std::move(key);
  zone.opened = check_key;
}

// limit_conn ZONE NUMBER;
void append_limit(std::vector<Limit>& limits, const Invocation& in) {
  Limit limit;
  limit.zone = &in.binder.zones().get(in.arg(0), 0, kUse, in.node.place);
  if (std::any_of(limits.begin(), limits.end(), [&](const Limit& other) { return other.zone == limit.zone; }))
    throw_duplicate("limit_conn");
  const auto most = parse_decimal(in.arg(1));
  if (!most || *most == 0) throw ConfigError("invalid number of connections \"" + in.arg(1) + "\"");
  if (*most > kMost) throw ConfigError("connection limit must be less 65536");
  limit.most = static_cast<std::int64_t>(*most);
  limits.push_back(limit);
}

std::int64_t parse_status(const Invocation& in) {
  const std::int64_t status = parse_number(in);
  if (status < 400 || status > 599) throw ConfigError("value must be between 400 and 599");
  return status;
}

Outcome refuse(Exchange& x, const Conf& conf, const Limit& limit, bool full) {
  if (full) x.log(Level::alert, "could not allocate node in limit_conn_zone \"" + limit.zone->name + "\"");
  else if (x.logs_at(*conf.log_level))
    x.log(*conf.log_level, std::string("limiting connections") + (*conf.dry_run ? ", dry run," : "") + " by zone \"" + limit.zone->name + "\"");
  auto& state = x.main().state<LimitConn>();
  state.leases.clear();
  state.status = *conf.dry_run ? Status::rejected_dry_run : Status::rejected;
  if (*conf.dry_run) return Next{};
  return Response(static_cast<int>(*conf.status));
}

bool active(const Conf& conf) { return !conf.limits->empty(); }

// Once a request, whatever locations and subrequests it comes through. the places are held until its exchange ends.
Outcome limit(Exchange& x, const Conf& conf) {
  auto& state = x.main().state<LimitConn>();
  if (state.status != Status::none) return Next{};
  for (const Limit& limit : *conf.limits) {
    const std::string key = limit.key().eval(x);
    if (key.empty()) continue;
    if (key.size() > kLongestKey) {
      x.log(Level::error, "the value of the \"" + limit.key().source() + "\" key is more than 255 bytes: \"" + key + "\"");
      continue;
    }
    state.status = Status::passed;
    bool full = false;
    Lease lease = Lease::take(limit, key, loop_state<LimitConn>(x.loop).process, x.loop.now(), full);
    if (!lease) return refuse(x, conf, limit, full);
    state.leases.push_back(std::move(lease));
  }
  return Next{};
}

bool status_variable(Exchange& x, std::string_view, const void*, std::string& out) {
  static constexpr const char* words[] = {"", "PASSED", "REJECTED", "REJECTED_DRY_RUN"};
  const Status status = x.main().state<LimitConn>().status;
  out += words[static_cast<std::size_t>(status)];
  return status != Status::none;
}

}  // namespace

const Directive LimitConn::directives[] = {
    custom<Conf>("limit_conn_zone", kHttp, 2, 2, "key zone=name:size", declare_zone,
                 "Memory for the counters of what the key names; a request whose key is empty is not limited."),
    list<Conf, Limit>("limit_conn", kAllHttp, 2, 2, "zone number", &Conf::limits, append_limit,
                      "How many requests of one key may be served at a time; over HTTP/2 each counts. Others are refused."),
    choice<Conf, Level>("limit_conn_log_level", kAllHttp, &Conf::log_level,
                        {{"info", Level::info}, {"notice", Level::notice}, {"warn", Level::warn}, {"error", Level::error}},
                        "Of refusals."),
    directive<Conf, std::int64_t>("limit_conn_status", kAllHttp, 1, 1, "number", &Conf::status, parse_status,
                                  "The status of refused requests.", "503"),
    flag<Conf>("limit_conn_dry_run", kAllHttp, &Conf::dry_run, "Counts and logs, and lets all pass."),
};

const Step LimitConn::steps[] = {step<Conf, active, limit>(Phase::preaccess)};

const VariableRow LimitConn::variables[] = {{"limit_conn_status", status_variable}};

}  // namespace seawall::limit_conn

using seawall::limit_conn::LimitConn;
SEAWALL_MODULE(LimitConn)
