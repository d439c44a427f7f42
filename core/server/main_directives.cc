// Directives of the main and events contexts that concern the process.
#include <pwd.h>
#include <grp.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "seawall/base/text.h"
#include "seawall/server/core_module.h"
#include "seawall/server/error_log.h"

namespace seawall {
namespace {

std::string parse_prefixed(const Invocation& in) { return in.prefixed(in.arg(0)); }

std::int64_t parse_processes(const Invocation& in) {
  if (in.arg(0) == "auto") return std::max<std::int64_t>(1, std::thread::hardware_concurrency());
  const auto n = parse_decimal(in.arg(0));
  if (!n) throw ConfigError("\"worker_processes\" directive invalid value");
  if (*n < 1 || *n > 1024) throw_invalid_value(in.arg(0), "worker_processes");
  return static_cast<std::int64_t>(*n);
}

// A nice value: the one number that may be negative.
std::int64_t parse_priority(const Invocation& in) {
  const std::string& word = in.arg(0);
  const bool below = word.starts_with('-');
  const auto n = parse_decimal(std::string_view(word).substr(below ? 1 : 0));
  if (!n || *n > 20) throw ConfigError("\"worker_priority\" directive invalid number");
  const auto value = static_cast<std::int64_t>(*n);
  return below ? -value : value;
}

void apply_user(MainConf& conf, const Invocation& in) {
  if (conf.user.is_set()) throw_duplicate("user");
  if (::geteuid() != 0) {
    in.warn("the \"user\" directive makes sense only if the master process runs with super-user privileges, ignored");
    return;
  }
  const std::string group = in.args().size() > 1 ? in.arg(1) : in.arg(0);
  if (!::getpwnam(in.arg(0).c_str())) throw ConfigError("getpwnam(\"" + in.arg(0) + "\") failed");
  if (!::getgrnam(group.c_str())) throw ConfigError("getgrnam(\"" + group + "\") failed");
  conf.user.set(in.arg(0), in.node.place);
  conf.group.set(group, in.node.place);
}

// What events says is about the process, too: it belongs to main's settings.
void open_events(MainConf& conf, const Invocation& in) {
  if (std::exchange(conf.has_events, true)) throw_duplicate("events");
  Settings& events = in.binder.open(in, kEvents);
  const auto* inner = static_cast<const MainConf*>(in.binder.own(events, module_number<MainModule>));
  conf.worker_connections = inner->worker_connections;
}

bool parse_compat(const Invocation& in) {
  if (in.arg(0) != "nginx") throw_invalid_value(in.arg(0), "compat");
  return true;
}

const Directive rows[] = {
    block<MainConf>("events", kMain, 0, 0, open_events, "Settings of the event loops."),
    list<MainConf, LogTarget>("error_log", kMain, 1, kMany, "file | stderr | syslog:... [level] [format=json] [request_id] [rate=N/s]", &MainConf::error_log,
                              append_error_log, "Where errors are logged, from which level on; several are."),
    flag<MainConf>("daemon", kMain, &MainConf::daemon, "Goes to the background."),
    flag<MainConf>("master_process", kMain, &MainConf::master_process,
                   "A supervisor that restarts and reloads the worker; off is for debugging."),
    directive<MainConf, std::string>("pid", kMain, 1, 1, "file", &MainConf::pid, parse_prefixed,
                                     "Where the supervisor's process id is written.", "logs/nginx.pid"),
    directive<MainConf, std::int64_t>("worker_processes", kMain, 1, 1, "number | auto", &MainConf::worker_processes,
                                      parse_processes, "Event loops: threads of one worker process (ours).", "1"),
    number<MainConf>("worker_connections", kEvents, &MainConf::worker_connections, "Connections of one loop."),
    number<MainConf>("worker_rlimit_nofile", kMain, &MainConf::worker_rlimit_nofile, "RLIMIT_NOFILE of the worker."),
    directive<MainConf, std::int64_t>("worker_priority", kMain, 1, 1, "number", &MainConf::worker_priority, parse_priority,
                                      "The worker's nice value, -20 to 20.", "0"),
    directive<MainConf, std::string>("working_directory", kMain, 1, 1, "directory", &MainConf::working_directory,
                                     parse_prefixed, "The worker's current directory."),
    custom<MainConf>("user", kMain, 1, 2, "user [group]", apply_user, "Whom the worker runs as."),
    duration<MainConf>("worker_shutdown_timeout", kMain, &MainConf::worker_shutdown_timeout,
                       "How long an old worker may finish what it has begun; 0: as long as it takes."),
    directive<MainConf, bool>("compat", kMain, 1, 1, "nginx", &MainConf::compat_nginx, parse_compat,
                              "Restores nginx's name in Server and on pages where ours differs, its chunks behind scripts and echo, and the end of idle HTTP/2 connections (ours)."),
    warn_when_off(number<MainConf>("limit_conn_header", kMain, &MainConf::limit_conn_header,
                                   "Unfinished request heads of one address; 0: no limit (ours).")),
};

}  // namespace

const std::span<const Directive> MainModule::directives = rows;

}  // namespace seawall
