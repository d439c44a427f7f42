#include "seawall/process/start.h"

#include "seawall/process/daemon.h"
#include "seawall/process/first_log.h"
#include "seawall/process/say.h"
#include "seawall/process/signals.h"
#include "seawall/process/supervisor.h"
#include "seawall/process/worker.h"
#include "seawall/server/server_name.h"

namespace seawall {
namespace {

int start(const Options& options, Starting& starting) {
  auto conf = Configuration::load(options, [](const std::string& text) { say(Level::warn, text); });
  conf->adopt();
  set_main_log(conf->error_log(options));
  const bool supervised = *conf->main().master_process;
  auto listening = Listening::open(conf->http().sockets, static_cast<int>(*conf->main().worker_processes), nullptr);
  if (*conf->main().daemon) starting.go_to_background();
  const PidFile pid(conf->pid_file());
  // In the background standard error is nobody's; in the foreground it stays unless -e says where.
  const bool away = *conf->main().daemon || !options.error_log.empty();
  starting.done(logs_to_stderr() || !away ? "" : first_log_path(options));
  stop_saying();
  log(Level::notice, "seawall/" + std::string(kVersion) + " started");
  if (supervised) return supervise(options, std::move(conf), std::move(listening));
  const int code = run_worker(*conf, *listening, false, Fd(), [] {});
  listening->remove_paths();
  return code;
}

}  // namespace

int run(const Options& options) {
  block_signals();
  LogTarget log;
  log.level = Level::notice;
  log.sink = first_log(options);
  set_main_log({log});
  Starting starting;
  try {
    return start(options, starting);
  } catch (const std::exception& error) {
    say(Level::emerg, error.what());
    return 1;
  }
}

}  // namespace seawall
