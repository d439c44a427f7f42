// probe.so, for tests only: handlers that wait, read request bodies and produce response bodies as no shipped module does
// alone. Loaded by load_module; see tests/e2e/probe.h. On the loop of the request.
#include <seawall/async/event.h>
#include <seawall/http/body.h>
#include <seawall/module/module.h>
#include <seawall/server/error_pages.h>
#include <seawall/server/loop_counts.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <stdexcept>

namespace seawall::probe {

class Stream {
 public:
  std::int64_t pieces = 0, size = 0;
  Milliseconds pause{0};  // before each piece
};

class Conf {
 public:
  Setting<bool> read{false}, fail{false}, crash{false}, overflow{false}, fail_filter{false}, fail_body{false}, outlive{false}, socket{false}, count{false};
  Setting<bool> fail_trailers{false}, counts{false};
  Setting<std::string> env{std::string()};
  Setting<Milliseconds> wait{Milliseconds(0)}, early_wait{Milliseconds(0)}, deadline{Milliseconds(0)};
  Setting<Stream> stream;
};

namespace {

Stream parse_stream(const Invocation& in) {
  Stream stream;
  const auto size = size_of(in.arg(1));
  stream.pieces = std::stoll(in.arg(0));
  if (!size) throw_invalid_value(in.arg(1), "probe_stream");
  stream.size = *size;
  if (in.args().size() > 2) stream.pause = time_of(in.arg(2)).value_or(Milliseconds(0));
  return stream;
}

Task<Outcome> wait_for(Milliseconds time) {
  const Errc waited = co_await sleep_until(Deadline::in(time, Wait::handler));
  if (waited == Errc::cancelled) co_return Response(500);
  co_return Next{};
}

class Runs {
 public:
  int post_read = 0;
};

bool counts(const Conf& conf) { return *conf.count; }
Outcome count(Exchange& x, const Conf&);
Result<void> show_count(Exchange& x, Response& response, const Conf&);

bool waits_early(const Conf& conf) { return conf.early_wait->count() > 0; }
Task<Outcome> wait_early(Exchange&, const Conf& conf) { return wait_for(*conf.early_wait); }

bool waits(const Conf& conf) { return conf.wait->count() > 0; }
Task<Outcome> wait(Exchange& x, const Conf& conf) {
  x.outlives_client = *conf.outlive;
  if (conf.deadline->count() > 0) x.set_deadline(*conf.deadline);
  co_return co_await wait_for(*conf.wait);
}

bool fails(const Conf& conf) { return *conf.fail; }
Outcome fail(Exchange&, const Conf&) { throw std::runtime_error("probe_fail"); }

bool crashes(const Conf& conf) { return *conf.crash; }
Outcome crash(Exchange& x, const Conf&) {
  CHECK(x.status == -1);
  return Next{};
}

bool overflows(const Conf& conf) { return *conf.overflow; }
[[gnu::noinline]] int deeper(volatile char* from) {
  volatile char frame[4096];
  frame[0] = *from;
  return deeper(frame) + frame[0];
}
Outcome overflow(Exchange&, const Conf&) {
  char first = 1;
  return Response{deeper(&first)};
}

bool fails_filter(const Conf& conf) { return *conf.fail_filter; }
Result<void> fail_filter(Exchange&, Response&, const Conf&) { throw std::runtime_error("probe_fail_filter"); }

class FailingReader final : public Reader {
 public:
  Task<Result<Piece>> read() override {
    if (std::exchange(begun_, true)) throw std::runtime_error("probe_fail_body");
    co_return Piece(Slice::from("half"), false);
  }

 private:
  bool begun_ = false;
};

bool fails_body(const Conf& conf) { return *conf.fail_body; }
Outcome fail_body(Exchange&, const Conf&) { return Response(200, std::unique_ptr<Reader>(new FailingReader)); }

// Fails where the core asks behind the body's last byte, with something of the request's still at work.
class FailingTrailers final : public Reader {
 public:
  Task<Result<Piece>> read() override { co_return Piece(Slice::from("half"), true); }
  Headers trailers() override { throw std::runtime_error("probe_fail_trailers"); }
};

Task<void> work_for_long() { co_await sleep_until(Deadline::in(std::chrono::hours(1), Wait::handler)); }

bool fails_trailers(const Conf& conf) { return *conf.fail_trailers; }
Outcome fail_trailers(Exchange& x, const Conf&) {
  x.scope.spawn(work_for_long());
  return Response(200, std::unique_ptr<Reader>(new FailingTrailers));
}

// The clients' sockets of this process: those at a port on which it listens, too.
std::size_t count_client_sockets() {
  std::set<in_port_t> doors;
  std::vector<in_port_t> open;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int fd = std::atoi(entry.path().filename().c_str());
    sockaddr_in address{};
    socklen_t size = sizeof address;
    int listens = 0;
    socklen_t option = sizeof listens;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0 || address.sin_family != AF_INET) continue;
    if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &option) != 0) continue;
    if (listens) doors.insert(address.sin_port);
    else open.push_back(address.sin_port);
  }
  return static_cast<std::size_t>(std::count_if(open.begin(), open.end(), [&](in_port_t port) { return doors.contains(port); }));
}

// What the loops have counted: "accept_errors=0 timeouts=0,0,... h2_abuses=0,... states=...", in the order of the enumerations, how
// many sockets of clients are open at this moment, and how many there have been.
bool shows_counts(const Conf& conf) { return *conf.counts; }
Outcome show_counts(Exchange&, const Conf&) {
  const ServerCounts all = count_all();
  std::string text = "accept_errors=" + std::to_string(all.accept_errors);
  const auto list = [&](const char* name, const auto& counts) {
    text.append(" ").append(name).append("=");
    for (const std::uint64_t count : counts) text += std::to_string(count) + ",";
  };
  list("timeouts", all.timeouts);
  list("h2_abuses", all.h2_abuses);
  list("states", all.states);
  text += " sockets=" + std::to_string(count_client_sockets()) + " accepted=" + std::to_string(all.accepted);
  return Response(200, Slice::from(std::move(text)));
}

bool shows_env(const Conf& conf) { return !conf.env->empty(); }
Outcome show_env(Exchange&, const Conf& conf) {
  const char* const value = std::getenv(conf.env->c_str());
  return Response(200, Slice::from(value ? std::string(value) : "unset"));
}

// The body comes back as the body, its trailers as fields.
bool reads(const Conf& conf) { return *conf.read; }
Task<Outcome> read(Exchange& x, const Conf&) {
  Result<Slice> all = co_await x.body.read_all(x);
  if (!all) {
    const int status = status_of(all.error());
    if (status == 0) co_return Abort{};
    co_return Response(status);
  }
  Response response(200, *all);
  for (const Field& field : x.body.trailers().all()) response.headers.add("X-Trailer-" + std::string(field.name), field.value);
  co_return response;
}

// What the kernel was told about the client's socket, "name=value ...".
bool shows_socket(const Conf& conf) { return *conf.socket; }
Outcome show_socket(Exchange& x, const Conf&) {
  const auto option = [&](const char* name, int level, int number) {
    int value = 0;
    socklen_t size = sizeof value;
    ::getsockopt(x.connection.fd, level, number, &value, &size);
    return std::string(name) + "=" + std::to_string(value);
  };
  return Response(200, Slice::from(option("nodelay", IPPROTO_TCP, TCP_NODELAY) + option(" keepalive", SOL_SOCKET, SO_KEEPALIVE) +
                                   option(" idle", IPPROTO_TCP, TCP_KEEPIDLE) + option(" interval", IPPROTO_TCP, TCP_KEEPINTVL) +
                                   option(" count", IPPROTO_TCP, TCP_KEEPCNT) + option(" user_timeout", IPPROTO_TCP, TCP_USER_TIMEOUT)));
}

// Pieces of x, and how many of them there were in a trailer; the length is known to nobody.
class Pieces final : public Reader {
 public:
  explicit Pieces(const Stream& stream) : stream_(stream) {}
  Task<Result<Piece>> read() override {
    if (stream_.pause.count() > 0) {
      const Errc waited = co_await sleep_until(Deadline::in(stream_.pause, Wait::handler));
      if (waited == Errc::cancelled) co_return waited;
    }
    ++done_;
    co_return Piece(Slice::from(std::string(static_cast<std::size_t>(stream_.size), 'x')), done_ >= stream_.pieces);
  }
  Headers trailers() override {
    Headers trailers;
    trailers.add("X-Pieces", std::to_string(done_));
    return trailers;
  }

 private:
  const Stream stream_;
  std::int64_t done_ = 0;
};

bool streams(const Conf& conf) { return conf.stream->pieces > 0; }
Outcome stream(Exchange&, const Conf& conf) {
  return Response(200, std::unique_ptr<Reader>(new Pieces(*conf.stream)));
}

}  // namespace

class Probe {
 public:
  using Conf = probe::Conf;
  using State = Runs;
  static constexpr const char* name = "probe";
  static constexpr const char* summary = "what tests need of a handler";
  static inline const Directive directives[] = {
      flag<Conf>("probe_read", kAllHttp, &Conf::read, "Answers with the request's body."),
      flag<Conf>("probe_count", kAllHttp, &Conf::count, "Says how often the phase post_read was run."),
      flag<Conf>("probe_fail", kAllHttp, &Conf::fail, "Throws."),
      flag<Conf>("probe_crash", kAllHttp, &Conf::crash, "Breaks a CHECK."),
      flag<Conf>("probe_overflow", kAllHttp, &Conf::overflow, "Uses up the stack."),
      flag<Conf>("probe_fail_filter", kAllHttp, &Conf::fail_filter, "Throws when the head goes by."),
      flag<Conf>("probe_fail_body", kAllHttp, &Conf::fail_body, "Throws in the middle of the body."),
      flag<Conf>("probe_outlive", kAllHttp, &Conf::outlive, "Goes on without its client."),
      flag<Conf>("probe_socket", kAllHttp, &Conf::socket, "Answers with the options of the client's socket."),
      flag<Conf>("probe_fail_trailers", kAllHttp, &Conf::fail_trailers, "Throws behind the body, and has a task at work."),
      flag<Conf>("probe_counts", kAllHttp, &Conf::counts, "Answers with what the loops have counted."),
      text<Conf>("probe_env", kAllHttp, &Conf::env, "Answers with a variable of the environment."),
      duration<Conf>("probe_early_wait", kAllHttp, &Conf::early_wait, "Waits before a location is known."),
      duration<Conf>("probe_wait", kAllHttp, &Conf::wait, "Waits before it answers."),
      duration<Conf>("probe_deadline", kAllHttp, &Conf::deadline, "Moves the request's deadline before probe_wait."),
      directive<Conf, Stream>("probe_stream", kAllHttp, 2, 3, "pieces size [pause]", &Conf::stream, parse_stream,
                              "Answers with a body of unknown length."),
  };
  static constexpr Step steps[] = {
      step<Conf, counts, count>(Phase::post_read), step<Conf, waits_early, wait_early>(Phase::server_rewrite),
      step<Conf, waits, wait>(Phase::preaccess),
      step<Conf, crashes, crash>(Phase::content), step<Conf, overflows, overflow>(Phase::content), step<Conf, fails, fail>(Phase::content),
      step<Conf, fails_body, fail_body>(Phase::content), step<Conf, fails_trailers, fail_trailers>(Phase::content),
      step<Conf, shows_counts, show_counts>(Phase::content), step<Conf, shows_env, show_env>(Phase::content), step<Conf, reads, read>(Phase::content),
      step<Conf, streams, stream>(Phase::content), step<Conf, shows_socket, show_socket>(Phase::content),
  };
  static constexpr Filter filters[] = {filter<Conf, counts, show_count>(FilterStage::headers),
                                       filter<Conf, fails_filter, fail_filter>(FilterStage::addition)};
};

namespace {

Outcome count(Exchange& x, const Conf&) {
  ++x.state<Probe>().post_read;
  return Next{};
}

Result<void> show_count(Exchange& x, Response& response, const Conf&) {
  response.headers.set("X-Post-Read", std::to_string(x.state<Probe>().post_read));
  return {};
}

}  // namespace

}  // namespace seawall::probe

using seawall::probe::Probe;
SEAWALL_MODULE(Probe)
