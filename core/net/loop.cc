#include "seawall/net/loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "seawall/async/run_watcher.h"
#include "seawall/base/error.h"

namespace seawall {
namespace {

thread_local Loop* this_thread = nullptr;
constexpr int kEventsATurn = 256;

}  // namespace

// Functions handed over by other threads, and the eventfd that wakes the loop for them.
class Loop::Posted final : public EpollSource {
 public:
  Posted() : event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (!event_) throw std::system_error(errno, std::generic_category(), "eventfd()");
  }
  int fd() const { return event_.get(); }
  void add(std::function<void()> fn) {
    {
      std::lock_guard lock(mutex_);
      functions_.push_back(std::move(fn));
    }
    const std::uint64_t one = 1;
    // The counter can only be full when a wake-up is pending already.
    [[maybe_unused]] const ssize_t n = ::write(event_.get(), &one, sizeof one);
  }
  void on_events(std::uint32_t) override { pending_ = true; }
  void run() {
    if (!pending_) return;
    pending_ = false;
    std::uint64_t count;
    [[maybe_unused]] const ssize_t n = ::read(event_.get(), &count, sizeof count);
    std::vector<std::function<void()>> functions;
    {
      std::lock_guard lock(mutex_);
      functions.swap(functions_);
    }
    for (auto& fn : functions) fn();
  }

 private:
  Fd event_;
  bool pending_ = false;
  std::mutex mutex_;
  std::vector<std::function<void()>> functions_;
};

Loop::Loop(int number)
    : number_(number), epoll_(epoll_create1(EPOLL_CLOEXEC)), posted_(std::make_unique<Posted>()),
      scratch_(new char[kScratch]), scope_(std::make_unique<Scope>()) {
  CHECK(!this_thread);
  if (!epoll_) throw std::runtime_error("epoll_create1() failed " + describe(system_error_code(errno)));
  add(posted_->fd(), EPOLLIN, *posted_);
  if (const int error = uv_loop_init(&uv_)) throw std::runtime_error("uv_loop_init() failed " + describe(system_error_code(-error)));
  CHECK(uv_async_init(&uv_, &uv_alive_, nullptr) == 0);
  add(uv_backend_fd(&uv_), EPOLLIN, uv_backend_);
  this_thread = this;
}

Loop::~Loop() {
  scope_.reset();
  uv_walk(&uv_, [](uv_handle_t* handle, void*) { if (!uv_is_closing(handle)) uv_close(handle, nullptr); }, nullptr);
  uv_run(&uv_, UV_RUN_DEFAULT);
  CHECK(uv_loop_close(&uv_) == 0);
  this_thread = nullptr;
}

Loop& Loop::current() {
  CHECK(this_thread);
  return *this_thread;
}

void Loop::post(std::function<void()> fn) { posted_->add(std::move(fn)); }

void Loop::add(int fd, std::uint32_t events, EpollSource& source) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &source;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) < 0)
    throw std::system_error(errno, std::generic_category(), "epoll_ctl()");
}

void Loop::remove(int fd) {
  epoll_event event{};
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, &event);
}

void Loop::again(EpollSource& source, std::uint32_t events) {
  source.again_ |= events;
  if (!source.linked()) again_.push_back(source);
}

int Loop::wait_time(std::int64_t latest) {
  const int uv = uv_backend_timeout(&uv_);
  if (uv == 0) uv_due_ = true;
  if (uv_due_ || scheduler_.has_ready() || !again_.empty()) return 0;
  const std::int64_t until = std::min(scheduler_.next_timer(), latest);
  int ours = -1;
  if (until != Deadline::kNever) {
    const std::int64_t left = until - scheduler_.now();
    if (left <= 0) return 0;
    ours = static_cast<int>(std::min<std::int64_t>((left + 999'999) / 1'000'000, 60'000));
  }
  if (uv <= 0) return ours;
  return ours < 0 ? uv : std::min(uv, ours);
}

void Loop::poll(int timeout) {
  epoll_event events[kEventsATurn];
  const int n = epoll_wait(epoll_.get(), events, kEventsATurn, timeout);
  scheduler_.update_clock();
  ++turns_;
  for (int i = 0; i < n; ++i) static_cast<EpollSource*>(events[i].data.ptr)->on_events(events[i].events);
  while (EpollSource* source = again_.pop_front()) source->on_events(std::exchange(source->again_, 0));
}

// libuv's clock stands still while it is not run: brought up to date every turn, or a timer that a task starts would
// count from long ago.
void Loop::run_uv() {
  uv_update_time(&uv_);
  if (!uv_due_ && uv_backend_timeout(&uv_) != 0) return;
  uv_due_ = false;
  uv_run(&uv_, UV_RUN_NOWAIT);
}

void Loop::turn(std::int64_t latest) {
  if (scheduler_.watcher()) [[unlikely]] return watched_turn(latest);
  poll(wait_time(latest));
  run_uv();
  posted_->run();
  scheduler_.fire_timers();
  scheduler_.run_ready();
}

// The same for one who looks on, part by part.
void Loop::watched_turn(std::int64_t latest) {
  RunWatcher& watcher = *scheduler_.watcher();
  poll(wait_time(latest));
  watcher.woken(scheduler_.now());
  watcher.did("sockets");
  run_uv();
  watcher.did("libuv");
  posted_->run();
  watcher.did("posted by other threads");
  scheduler_.fire_timers();
  watcher.did("timers");
  scheduler_.run_ready();
  watcher.turned();
}

void Loop::run() {
  scheduler_.run_ready();
  while (!stopping_ || !scope_->all_ended()) turn();
}

}  // namespace seawall
