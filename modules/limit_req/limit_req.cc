// The limit_req module: how many requests a second there may be of what a variable names; the others wait or are refused.
#include <algorithm>
#include <string>
#include <vector>

#include "conf.h"
#include "seawall/async/event.h"
#include "seawall/server/core_conf.h"

namespace seawall::limit_req {

enum class Status : std::uint8_t { none, passed, delayed, rejected, delayed_dry_run, rejected_dry_run };

class LimitReq {
 public:
  using Conf = limit_req::Conf;
  static constexpr const char* name = "limit_req";
  static constexpr const char* summary = "bounds the rate of requests";
  class State {
   public:
    Status status = Status::none;
  };
  static const Directive directives[5];
  static const Step steps[1];
  static const VariableRow variables[1];
};

namespace {

constexpr std::size_t kLongestKey = 65535;

// How long a request with this excess waits for its turn, in ms.
std::int64_t delay_of(const Limit& limit, std::int64_t excess) {
  return excess <= limit.delay ? 0 : (excess - limit.delay) * 1000 / limit.rate().rate;
}

std::string thousandths(std::int64_t value) {
  std::string rest = std::to_string(value % 1000);
  rest.insert(0, 3 - rest.size(), '0');
  return std::to_string(value / 1000) + "." + rest;
}

// All limits of a location at once: the first that refuses decides; nothing is counted before all have agreed.
class Check {
 public:
  Check(Exchange& x, const Conf& conf) : x_(x), conf_(conf), now_(x.loop.now() / 1'000'000) {}

  Verdict verdict() {
    const auto& limits = *conf_.limits;
    for (const Limit& limit : limits) {
      std::string key = limit.rate().key.eval(x_);
      if (key.empty()) continue;
      if (key.size() > kLongestKey) {
        x_.log(Level::error, "the value of the \"" + limit.rate().key.source() + "\" key is more than 65535 bytes: \"" + key + "\"");
        continue;
      }
      asked_ = true;
      const bool last = &limit == &limits.back();
      std::int64_t excess;
      const Verdict verdict = look(limit, key, now_, last, excess);
      if (verdict != Verdict::within || last) note(limit, excess);
      if (verdict != Verdict::within) return verdict;
      if (!last) agreed_.push_back({&limit, std::move(key)});
    }
    for (auto agreed = agreed_.rbegin(); agreed != agreed_.rend(); ++agreed) note(*agreed->limit, count(*agreed->limit, agreed->key, now_));
    return Verdict::within;
  }

  bool asked() const { return asked_; }  // no limit applies to a request without keys
  std::int64_t delay() const { return delay_; }
  // Of what decided: the refusal, or the longest delay.
  std::string excess() const { return thousandths(excess_); }
  const std::string& zone() const { return limit_->zone->name; }

 private:
  struct Agreed {
    const Limit* limit;
    std::string key;
  };
  void note(const Limit& limit, std::int64_t excess) {
    const std::int64_t delay = delay_of(limit, excess);
    if (limit_ && delay <= delay_) return;
    limit_ = &limit;
    excess_ = excess;
    delay_ = delay;
  }

  Exchange& x_;
  const Conf& conf_;
  const std::int64_t now_;  // ms
  std::vector<Agreed> agreed_;
  const Limit* limit_ = nullptr;
  std::int64_t excess_ = 0, delay_ = 0;
  bool asked_ = false;
};

Outcome refuse(Exchange& x, const Conf& conf, const Check& check, Verdict verdict) {
  if (verdict == Verdict::full) x.log(Level::alert, "could not allocate node in limit_req zone \"" + check.zone() + "\"");
  else if (x.logs_at(*conf.log_level))
    x.log(*conf.log_level, std::string("limiting requests") + (*conf.dry_run ? ", dry run" : "") + ", excess: " + check.excess() +
                               " by zone \"" + check.zone() + "\"");
  x.main().state<LimitReq>().status = *conf.dry_run ? Status::rejected_dry_run : Status::rejected;
  if (*conf.dry_run) return Next{};
  return Response(static_cast<int>(*conf.status));
}

// The wait is ours, not the handler's: handler_timeout stands still.
Task<Outcome> wait_for_turn(Exchange& x, Milliseconds time) {
  const Deadline turn = Deadline::in(time, Wait::handler).earlier(x.last_deadline(Wait::handler));
  x.pause_handler_clock();
  const Errc waited = co_await sleep_until(turn);
  x.resume_handler_clock();
  if (waited == Errc::cancelled) co_return Response(503);  // nobody is left to see it
  co_return Next{};
}

bool active(const Conf& conf) { return !conf.limits->empty(); }

// Once a request, whatever locations and subrequests it comes through.
Task<Outcome> limit(Exchange& x, const Conf& conf) {
  Status& status = x.main().state<LimitReq>().status;
  if (status != Status::none) co_return Next{};
  Check check(x, conf);
  const Verdict verdict = check.verdict();
  if (!check.asked()) co_return Next{};
  if (verdict != Verdict::within) co_return refuse(x, conf, check, verdict);
  status = Status::passed;
  if (check.delay() == 0) co_return Next{};
  if (x.logs_at(conf.delay_level()))
    x.log(conf.delay_level(), std::string("delaying request") + (*conf.dry_run ? ", dry run" : "") + ", excess: " + check.excess() +
                                  ", by zone \"" + check.zone() + "\"");
  status = *conf.dry_run ? Status::delayed_dry_run : Status::delayed;
  if (*conf.dry_run) co_return Next{};
  co_return co_await wait_for_turn(x, Milliseconds(check.delay()));
}

bool status_variable(Exchange& x, std::string_view, const void*, std::string& out) {
  static constexpr const char* words[] = {"", "PASSED", "DELAYED", "REJECTED", "DELAYED_DRY_RUN", "REJECTED_DRY_RUN"};
  const Status status = x.main().state<LimitReq>().status;
  out += words[static_cast<std::size_t>(status)];
  return status != Status::none;
}

}  // namespace

const Directive LimitReq::directives[] = {
    custom<Conf>("limit_req_zone", kHttp, 3, 3, "key zone=name:size rate=number[r/s | r/m]", declare_zone,
                 "Memory for the rates of what the key names; a request whose key is empty is not limited."),
    list<Conf, Limit>("limit_req", kAllHttp, 1, 3, "zone=name [burst=number] [nodelay | delay=number]", &Conf::limits, append_limit,
                      "Requests above the zone's rate wait, all (or those behind the first `delay`) up to `burst`; others are refused."),
    choice<Conf, Level>("limit_req_log_level", kAllHttp, &Conf::log_level,
                        {{"info", Level::info}, {"notice", Level::notice}, {"warn", Level::warn}, {"error", Level::error}},
                        "Of refusals; of delays one level less."),
    directive<Conf, std::int64_t>("limit_req_status", kAllHttp, 1, 1, "number", &Conf::status, parse_status,
                                  "The status of refused requests.", "503"),
    flag<Conf>("limit_req_dry_run", kAllHttp, &Conf::dry_run, "Counts and logs, and lets all pass."),
};

const Step LimitReq::steps[] = {step<Conf, active, limit>(Phase::preaccess)};

const VariableRow LimitReq::variables[] = {{"limit_req_status", status_variable}};

}  // namespace seawall::limit_req

using seawall::limit_req::LimitReq;
SEAWALL_MODULE(LimitReq)
