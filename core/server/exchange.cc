#include "seawall/server/exchange.h"

#include <algorithm>

#include "seawall/base/check.h"
#include "seawall/log/log_form.h"
#include "seawall/net/loop.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/current_exchange.h"
#include "seawall/server/probe.h"
#include "seawall/server/request_id.h"
#include "seawall/server/trace_context.h"
#include "seawall/server/vhost.h"

namespace seawall {
namespace {

// What a line about a request says, in nginx's order.
class About {
 public:
  About(const Exchange& x, bool with_ids) : client_(x.connection.remote.text()) {
    fields_.push_back({"client", client_, false});
    fields_.push_back({"server", x.vhost->primary_name, false});
    add("request", x.request.request_line);
    if (x.parent) fields_.push_back({"subrequest", x.uri});
    add("upstream", x.upstream);
    add("host", x.request.authority);
    add("referrer", x.request.headers.get(FieldId::referer));
    line.connection = x.connection.number;
    if (with_ids) add_ids(const_cast<Exchange&>(x));
    line.fields = fields_;
  }
  About(const About&) = delete;

  LogAbout line;

 private:
  // Both are made when they are asked for first, which may be here.
  void add_ids(Exchange& x) {
    line.request_id = id_ = request_id(x);
    const TraceContext* const trace = trace_context(x);
    if (!trace) return;
    line.trace_id = trace->trace_id;
    line.span_id = trace->span_id;
  }
  void add(const char* name, std::string_view value) {
    if (!value.empty()) fields_.push_back({name, value});
  }
  const std::string client_;
  std::string id_;
  std::vector<LogField> fields_;
};

}  // namespace

Exchange::Exchange(ConnectionInfo& connection, RequestHead&& head, const Vhost& vhost, Scope* parent)
    : loop(Loop::current()), scope(parent), background(parent), connection(connection), request(std::move(head)), method(request.method),
      uri(std::move(request.path)), args(request.args), vhost(&vhost), started(loop.now()), head_read(started) {
  enter(vhost.locations.root());
  keep_alive = request.keep_alive;
}

Exchange::~Exchange() {
  forget_exchange(*this);
  CHECK(!at_work());
  // In the reverse order: those of modules may point into the core's.
  while (held_) {
    Held* const held = held_;
    held_ = held->next;
    held->destroy(held);
  }
}

void Exchange::hold(Held& held, int module) {
  Held** place = &held_;
  while (*place && (*place)->module > module) place = &(*place)->next;
  held.module = module;
  held.next = std::exchange(*place, &held);
}

const void* Exchange::conf(int module) const { return location->settings->get(module); }

const LogTargets& Exchange::log_targets() const {
  return core_->error_log->empty() ? main_log() : *core_->error_log;
}

void Exchange::enter(const Location& to) {
  location = &to;
  plan_ = to.plan.get();
  core_ = to.core;
  uri_follows_alias = uri_changed_here = false;
  if (clock_started_ && !deadline_moved_) start_handler_clock();
}

Deadline Exchange::last_deadline(Wait wait) const {
  const std::int64_t time = std::chrono::nanoseconds(*core_->request_max_time).count();
  return time > 0 ? Deadline::at(started + time, wait) : Deadline::never(wait);
}

void Exchange::set_deadline(Milliseconds from_now) {
  deadline_moved_ = clock_started_ = true;
  handler_left_ = std::chrono::nanoseconds(from_now).count();
  if (!paused_) resume_handler_clock();
}

void Exchange::start_handler_clock() {
  clock_started_ = true;
  deadline_moved_ = false;
  const std::int64_t time = std::chrono::nanoseconds(*core_->handler_timeout).count();
  handler_left_ = time > 0 ? time : Deadline::kNever;
  if (!paused_) resume_handler_clock();
}

void Exchange::end_handler_clock() {
  deadline_moved_ = clock_started_ = true;
  handler_left_ = Deadline::kNever;
  if (!paused_) resume_handler_clock();
}

void Exchange::pause_handler_clock() {
  paused_ = true;
  handler_left_ = handler_deadline_ == Deadline::kNever ? Deadline::kNever : handler_deadline_ - loop.now();
  handler_deadline_ = Deadline::kNever;
}

void Exchange::resume_handler_clock() {
  paused_ = false;
  if (!clock_started_) return;
  const std::int64_t until = handler_left_ == Deadline::kNever ? Deadline::kNever : loop.now() + handler_left_;
  handler_deadline_ = std::min(until, last_deadline(Wait::handler).when());
}

void Exchange::log(Level level, std::string_view message) const {
  const LogTargets& targets = log_targets();
  if (!seawall::logs_at(targets, level) || (connection.probe && !connection.probe->is_live && level > Level::error)) return;
  const About about(*this, wants_request_id(targets, level));
  seawall::log(targets, level, about.line, message);
}

}  // namespace seawall
